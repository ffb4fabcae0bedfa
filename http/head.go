package httpapi

import (
	"bytes"
	"net/http"
	"time"

	"github.com/taskcluster/events-proxy/http/sse"
)

// streamHeaders sets the headers that every event stream has.
func streamHeaders(h http.Header) {
	h.Set("Content-Type", sse.ContentType)
	h.Set("Cache-Control", "no-cache, no-transform") // neither kept nor compressed on the way
	h.Set("X-Accel-Buffering", "no")                 // nginx holds nothing back
	h.Set("X-Content-Type-Options", "nosniff")
}

// streamHead returns the response's head on a hijacked connection, which ends
// the response when it closes:
//
//	HTTP/1.1 200 OK⏎
//	Cache-Control: no-cache, no-transform⏎
//	Connection: close⏎
//	Content-Type: text/event-stream; charset=utf-8⏎
//	…⏎
//	⏎
//
// What a host's middleware has put into the header is there, too.
func streamHead(r *http.Request, header http.Header) []byte {
	header.Set("Connection", "close")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	header.Del("Content-Length")
	header.Del("Transfer-Encoding")
	var head bytes.Buffer
	head.Grow(usualHeadBytes)
	head.WriteString("HTTP/1.1 200 OK\r\n")
	if !r.ProtoAtLeast(1, 1) {
		head.Reset()
		head.WriteString("HTTP/1.0 200 OK\r\n")
	}
	header.Write(&head) // takes line breaks out of values; a Buffer does not fail
	head.WriteString("\r\n")
	return head.Bytes()
}

// usualHeadBytes is the size of a head with CORS and a few headers of a host.
const usualHeadBytes = 512

// The protocols that streams are counted by.
const (
	protocolHTTP1 = "HTTP/1"
	protocolHTTP2 = "HTTP/2"
)

// protocolOf returns the protocol's name for the metrics. The request's own
// string is a part of its first line and would keep that in memory.
func protocolOf(r *http.Request) string {
	switch r.ProtoMajor {
	case 1:
		return protocolHTTP1
	case 2:
		return protocolHTTP2
	}
	return "other"
}

// canFlush reports whether any of the wrapped writers can send what has been
// written so far; http.ResponseController looks the same way.
func canFlush(w http.ResponseWriter) bool {
	for {
		switch t := w.(type) {
		case interface{ FlushError() error }, http.Flusher:
			return true
		case interface{ Unwrap() http.ResponseWriter }:
			w = t.Unwrap()
		default:
			return false
		}
	}
}
