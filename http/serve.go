package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// serve brings a stream to its client: over the socket itself where that is to
// be had, which costs a fifth of the memory; through the ResponseWriter
// elsewhere. It sees to it that the stream is closed in the end.
func (h *Handler) serve(w http.ResponseWriter, r *http.Request, s stream) {
	streamHeaders(w.Header())
	control := http.NewResponseController(w)
	if !h.options.NoHijack && r.ProtoMajor == 1 {
		conn, _, err := control.Hijack()
		if err == nil {
			note(w, http.StatusOK)
			h.serveHijacked(conn, s, protocolOf(r), streamHead(r, w.Header()))
			return
		}
		if !errors.Is(err, http.ErrNotSupported) {
			s.Close() // the connection is gone
			return
		}
	}
	if !canFlush(w) {
		s.Close()
		h.log.Error("a middleware hides http.Flusher: no event would ever arrive", "writer", fmt.Sprintf("%T", w))
		h.refuse(w, r, &actors.Error{Code: actors.InternalError, Reason: "A defect of this service"})
		return
	}
	h.serveFlushed(r.Context(), w, s, protocolOf(r))
}

// protocolOf names the protocol for the metrics. The request's own string is
// a part of its first line and would keep that in memory.
func protocolOf(r *http.Request) string {
	switch r.ProtoMajor {
	case 1:
		return "HTTP/1"
	case 2:
		return "HTTP/2"
	}
	return "other"
}

// streamHead is the response's head on a hijacked connection, which ends the
// response when it closes:
//
//	HTTP/1.1 200 OK⏎
//	Cache-Control: no-cache, no-transform⏎
//	Connection: close⏎
//	Content-Type: text/event-stream⏎
//	…⏎
//	⏎
//
// Whatever a host's middleware has put into the header is there, too.
func streamHead(r *http.Request, header http.Header) []byte {
	header.Set("Connection", "close")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	header.Del("Content-Length")
	header.Del("Transfer-Encoding")
	var head bytes.Buffer
	head.Grow(headRoom)
	head.WriteString("HTTP/1.1 200 OK\r\n")
	if !r.ProtoAtLeast(1, 1) {
		head.Reset()
		head.WriteString("HTTP/1.0 200 OK\r\n")
	}
	header.Write(&head) // takes line breaks out of values; a Buffer does not fail
	head.WriteString("\r\n")
	return head.Bytes()
}

// headRoom is what a head takes, with those of CORS and some of a host's.
const headRoom = 512

// note tells our own wrapper of a status that went another way.
func note(w http.ResponseWriter, status int) {
	if a, ok := w.(*answer); ok {
		a.status = status
	}
}

// canFlush looks, as http.ResponseController does, whether any of the wrapped
// writers can send what has been written so far.
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
