package httpapi

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// stream is what a writer needs of an *actors.Stream, whose comments say what
// the methods promise.
type stream interface {
	ID() string
	Notify(f func())
	Take(events []actors.Event) []actors.Event
	Done()
	Ended() *actors.Error
	Fail(err *actors.Error)
	Close()
}

// writer turns a stream's events into frames and gives them to an outlet: the
// part of the work that is the same for every kind of connection.
//
//	stream ──Take──▶ events ──frames──▶ batch ──write──▶ outlet
//	   ▲                                                   │
//	   └───────────────── Done: the broker may forget ◀────┘
//
// Whatever waits goes out in as few writes as possible: 32 KiB gathered for
// one, or a large message from where it lies. One goroutine at a time writes.
type writer struct {
	handler *Handler
	stream  stream
	out     outlet
	head    []byte // what goes before the first frame; nil once it is written

	// quiet is when the last write ended, in Unix nanoseconds; 0 while one is
	// under way. The watchdog reads it.
	quiet atomic.Int64
}

// outlet is where a writer's bytes go.
type outlet interface {
	// write writes the parts, or fails within the write deadline and says how
	// many bytes have gone out. It may edit parts, not the bytes.
	write(parts net.Buffers) (int, error)
}

// writeStep is the most that is written under one deadline: a client that
// takes a large message slowly but steadily is not a stuck one.
const writeStep = 256 << 10

// failedWrite is a write that did not end: the outlet has taken the batch's
// bytes up to at.
type failedWrite struct {
	at   int
	took time.Duration // of the step that failed
	err  error
}

func (f *failedWrite) Error() string {
	return fmt.Sprintf("write failed after %d bytes: %v", f.at, f.err)
}
func (f *failedWrite) Unwrap() error { return f.err }

// writeWaiting writes all that waits, with the head before it where that is
// still owed. ended is true once the stream's last event has been written.
func (w *writer) writeWaiting(b *batch) (ended bool, failed *failedWrite) {
	b.events = w.stream.Take(b.events)
	if w.head != nil {
		b.head(w.head)
		w.head = nil
	}
	for _, event := range b.events {
		if b.full() {
			if failed = w.write(b); failed != nil {
				return false, failed
			}
		}
		_, ended = event.(*actors.Error)
		if err := b.add(event); err != nil {
			w.defect(b, err)
			ended = true
		}
		if ended {
			break
		}
	}
	if failed = w.write(b); failed != nil {
		return false, failed
	}
	if len(b.events) > 0 {
		w.stream.Done()
	}
	return ended, nil
}

// defect ends the stream for an event that cannot be put into a frame.
func (w *writer) defect(b *batch, cause error) {
	w.handler.log.Error("event without a frame", "stream", w.stream.ID(), "error", cause)
	if err := b.add(w.verdict(errDefect)); err != nil {
		panic(err) // its JSON is ours, on one line
	}
}

// write writes a batch and empties it.
func (w *writer) write(b *batch) *failedWrite {
	total := b.size()
	if total == 0 {
		return nil
	}
	w.quiet.Store(0)
	start := time.Now()
	step := start
	for at := 0; at < total; {
		n, err := w.out.write(b.window(at, min(at+writeStep, total)))
		now := time.Now()
		at += n
		if err != nil {
			return &failedWrite{at: at, took: now.Sub(step), err: err}
		}
		step = now
	}
	w.quiet.Store(step.UnixNano())
	w.handler.metrics.wrote(total, len(b.ends), step.Sub(start))
	b.reset()
	return nil
}

// silentFor is how long nothing has been written; 0 while something is.
func (w *writer) silentFor(now time.Time) time.Duration {
	since := w.quiet.Load()
	if since == 0 {
		return 0
	}
	return now.Sub(time.Unix(0, since))
}

// verdict gives why the stream has ended; slow is the writer's own verdict,
// which stands where there is none yet.
func (w *writer) verdict(own *actors.Error) *actors.Error {
	w.stream.Fail(own)
	if err := w.stream.Ended(); err != nil {
		return err
	}
	return own
}
