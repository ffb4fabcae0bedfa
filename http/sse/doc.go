// Package sse is the text/event-stream format of the WHATWG's HTML standard
// (section 9.2, server-sent events) and nothing else. A server appends frames to
// a buffer with [Encoder.Append]; a client reads events with [NewDecoder] and
// [Decoder.Next], or ranges over [Decoder.All]. It knows no HTTP and no JSON.
//
// The parts of an event are types that cannot hold a line break ([Name], [ID],
// [Data]), so that no text of a publisher can start a field or an event of its
// own.
package sse

const (
	// MediaType is the media type of an event stream.
	MediaType = "text/event-stream"

	// ContentType is the Content-Type of an event stream. It names the encoding,
	// which is always UTF-8, for clients that would read Latin-1 without it.
	ContentType = MediaType + "; charset=utf-8"
)
