// Package sse is the text/event-stream format of the WHATWG's HTML standard
// (section 9.2, server-sent events) and nothing else. A server appends frames to
// a buffer with [Encoder.Append]; a client reads events with [NewDecoder] and
// [Decoder.Next], or ranges over [Decoder.All]. It knows no HTTP and no JSON.
//
// The parts of an event are types that cannot hold a line break ([Name], [ID],
// [Data]), so that no text of a publisher can start a field or an event of its
// own.
package sse

// ContentType is the media type of an event stream.
const ContentType = "text/event-stream"
