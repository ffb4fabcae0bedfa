package tail

import (
	"context"
	"fmt"
	"time"
)

// Event is one event of a stream as it is on the wire.
type Event struct {
	Name string // one of the names below
	Data []byte // JSON on one line
}

// The names of the events that a Stream returns. An error event is returned as
// a *Loss.
const (
	Ping    = "ping"
	Ready   = "ready"
	Message = "message"
)

// Source opens streams.
type Source interface {
	// Open opens one stream, whose Next fails once ctx ends. The error is a
	// *Loss, or ctx's.
	Open(ctx context.Context) (Stream, error)

	// String returns where the streams come from, without credentials.
	String() string
}

// Stream is one event stream, read by one goroutine.
type Stream interface {
	// Next waits for the next event, which is valid until the next call. The
	// error is a *Loss, or that of the context that Open was called with.
	Next() (Event, error)

	// Close releases the stream.
	Close()
}

// Loss is why a stream could not be opened, or has ended.
type Loss struct {
	Code      string // a code of the error event, or one of those below
	Reason    string // a sentence for people
	Retryable bool   // another stream may be opened

	// Spread is the time over which clients that come back are to be spread, as
	// the service says it; 0 where it does not. Least is how long to wait at
	// least.
	Spread, Least time.Duration
}

// The codes of a Loss that no service has told.
const (
	unreachable = "Unreachable" // no HTTP answer
	untrusted   = "Untrusted"   // a certificate that is not accepted
	badAnswer   = "BadAnswer"   // an HTTP answer that is no stream
	cut         = "Cut"         // the stream ended without an error event
	silent      = "Silent"      // no byte within the time that Options allow
)

// Error returns code and reason on one line.
func (l *Loss) Error() string { return fmt.Sprintf("%s: %s", l.Code, l.Reason) }
