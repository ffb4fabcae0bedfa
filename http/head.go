package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
	"time"

	"github.com/taskcluster/events-proxy/http/sse"
)

// streamHeaders sets the headers that every event stream has, and drops what a middleware has said of
// a body.
func streamHeaders(h http.Header) {
	dropHeaders(h, ofOneBody)
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
// What a host's middleware has put into the header is there, too, but for what describes bytes that
// do not pass through it.
func streamHead(r *http.Request, header http.Header) []byte {
	header.Set("Connection", "close")
	header.Set("Date", time.Now().UTC().Format(http.TimeFormat))
	dropHeaders(header, ofOneConnection)
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

// ofOneBody are the headers by which a middleware describes a body that it knows. A stream's is
// none of that.
var ofOneBody = []string{
	"Accept-Ranges", "Content-Digest", "Content-Length", "Content-Md5", "Content-Range", "Digest", "Etag", "Last-Modified", "Repr-Digest",
}

// ofOneConnection are those by which it describes how the bytes travel, which is right only where
// they pass through it.
var ofOneConnection = []string{"Content-Encoding", "Trailer", "Transfer-Encoding"}

func dropHeaders(h http.Header, names []string) {
	for _, name := range names {
		h.Del(name)
	}
}

// canFlush reports whether a writer can send what has been written so far.
func canFlush(w http.ResponseWriter) bool {
	switch w.(type) {
	case interface{ FlushError() error }, http.Flusher:
		return true
	}
	return false
}

// canLimitWrites reports whether a writer takes a deadline for its writes.
func canLimitWrites(w http.ResponseWriter) bool {
	_, ok := w.(interface{ SetWriteDeadline(time.Time) error })
	return ok
}

// hiddenBy returns the type of the wrapper that hides what a server's own writer can do, and ""
// where one of the wrapped writers can do it; http.ResponseController looks the same way.
func hiddenBy(w http.ResponseWriter, can func(http.ResponseWriter) bool) string {
	for !can(w) {
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return fmt.Sprintf("%T", w)
		}
		w = wrapper.Unwrap()
	}
	return ""
}
