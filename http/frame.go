package httpapi

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/sse"
)

// The names of the events on the wire.
var (
	namePing    = sse.MustName("ping")
	nameReady   = sse.MustName("ready")
	nameMessage = sse.MustName("message")
	nameError   = sse.MustName("error")
)

// frames puts every event into its frame:
//
//	event: message⏎
//	data: {"payload":…}⏎
//	id: -⏎
//	⏎
//
// The id names no event. It makes a browser send Last-Event-ID when it
// reconnects by itself after the stream's end, which is answered with 204, and
// that is how a browser is told to stop.
var frames = sse.Encoder{ID: sse.MustID("-")}

// timeFormat is RFC 3339 with milliseconds, as JavaScript writes it; of UTC.
const timeFormat = "2006-01-02T15:04:05.000Z"

// eventData returns the name and the JSON of an event. JSON that the event does
// not bring along is appended to scratch. It panics for an event of no known
// kind.
func eventData(event actors.Event, scratch []byte) (sse.Name, []byte) {
	switch e := event.(type) {
	case *actors.Message:
		return nameMessage, e.JSON
	case actors.Ping:
		return namePing, pingData(scratch, e.Time)
	case actors.Ready:
		return nameReady, append(scratch, "{}"...)
	case actors.Custom:
		return sse.MustName(e.Name), e.Data
	case *actors.Error:
		return nameError, errorData(e)
	}
	panic("an event that has no frame")
}

func pingData(scratch []byte, at time.Time) []byte {
	scratch = append(scratch, `{"time":"`...)
	scratch = at.UTC().AppendFormat(scratch, timeFormat)
	return append(scratch, `"}`...)
}

// errorData returns the JSON of an error event. It never holds the cause: that
// is for the log.
func errorData(e *actors.Error) []byte {
	return oneLineJSON(struct {
		Code      actors.Code `json:"code"`
		Message   string      `json:"message"`
		Retryable bool        `json:"retryable"`
		After     int64       `json:"retryAfterMs,omitempty"`
	}{e.Code, e.Reason, e.Code.Retryable(), e.RetryAfter().Milliseconds()})
}

// errorFrame returns the last frame of a stream.
func errorFrame(e *actors.Error) []byte {
	return frames.Append(nil, nameError, sse.MustData(string(errorData(e))))
}

// oneLineJSON returns v as JSON, without escapes for HTML. It panics where v
// cannot be encoded, which is a defect.
func oneLineJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err)
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}
