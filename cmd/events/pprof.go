package main

import (
	"net/http"
	"net/http/pprof"
)

// profiles serves the profiles of the running process, as `go tool pprof` asks for them:
//
//	go tool pprof http://127.0.0.1:12346/debug/pprof/heap
//
// It stands here and not in package http because importing net/http/pprof also adds to
// http.DefaultServeMux, which belongs to the program.
func profiles() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	return mux
}
