package httpapi

import (
	"context"
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
	Context() context.Context
	State() actors.StreamState
	Notify(f func())
	Take(events []actors.Event) []actors.Event
	Written(m *actors.Message)
	Moving()
	Ended() *actors.Error
	Fail(err *actors.Error)
	Close()
}

// writer turns a stream's events into frames and hands them to a transport: the
// part of the work that is the same for every kind of connection.
//
//	stream ──Take──▶ events ──frames──▶ batch ──write──▶ transport
//	   ▲                                                   │
//	   └────────────── Written: the broker may forget ◀────┘
//
// What waits goes out in as few writes as possible: 32 KiB gathered for one, or
// a large message from where it lies. One goroutine at a time writes.
type writer struct {
	outlets *outlets
	stream  stream
	to      transport
	step    int    // the most bytes for one call of to.write
	head    []byte // what goes before the first frame; nil once it is written

	// idle is when the last write ended, in nanoseconds since outlets.started;
	// writeBusy while one is under way. The watchdog reads it.
	idle atomic.Int64

	// ended is when the writer has found, with more to write, that the stream has
	// ended, since outlets.started; 0 before that.
	ended time.Duration
}

// writeBusy stands for the time of a write that has not ended.
const writeBusy = -1

// transport is where a writer's bytes go.
type transport interface {
	// write writes the parts, and returns how many bytes were sent; an error
	// where that is not all, which wraps os.ErrDeadlineExceeded where the client
	// did not take them in time. It may change the list of parts, not the bytes.
	write(parts net.Buffers) (int, error)
}

const (
	// slowWrite is the time from which a write is that of a slow client, whose
	// window in the actors must not be taken for one that stands still.
	slowWrite = time.Second

	// writeAfterEnd is how long messages that were taken before the stream ended
	// are still written after that. What is left then is dropped, between two
	// frames: a slow client is told the end within this time and one batch's.
	writeAfterEnd = 5 * time.Second
)

// failedWrite is a write that did not end: the transport has taken the batch's
// bytes up to at.
type failedWrite struct {
	at   int
	took time.Duration // of the step that failed
	err  error
}

// Error returns a text for logs.
func (f *failedWrite) Error() string {
	return fmt.Sprintf("write failed after %d bytes: %v", f.at, f.err)
}

// Unwrap returns the transport's error.
func (f *failedWrite) Unwrap() error { return f.err }

// writeWaiting writes all that waits, after the head where that has not been
// written yet. ended is true once the stream's last event has been written;
// failed is nil unless a write failed.
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
			w.noteEnd()
		}
		if _, isMessage := event.(*actors.Message); isMessage && w.dropsMessages() {
			continue
		}
		b.note(event)
		_, ended = event.(*actors.Error)
		if err := b.add(event); err != nil {
			w.addDefect(b, err)
			ended = true
		}
		if ended {
			break
		}
	}
	if failed = w.write(b); failed != nil {
		return false, failed
	}
	return ended, nil
}

// dropsMessages reports whether the stream ended so long ago that its client, a
// slow one, is to be told.
func (w *writer) dropsMessages() bool {
	return w.ended > 0 && time.Since(w.outlets.started)-w.ended >= writeAfterEnd
}

// addDefect ends the stream for an event that cannot be put into a frame.
func (w *writer) addDefect(b *batch, cause error) {
	w.outlets.log.ErrorContext(w.stream.Context(), "event without a frame", "stream", w.stream.ID(), "error", cause)
	if err := b.add(w.verdict(errDefect)); err != nil {
		panic(err) // its JSON is ours, on one line
	}
}

// revoked reports whether the client may not read what the stream holds any more.
func (w *writer) revoked() bool {
	why := w.stream.Ended()
	return why != nil && why.Code == actors.AccessRevoked
}

// write writes a batch, acknowledges its messages and empties it. It returns nil
// unless a write failed. Where the access was revoked the events are withheld; the
// stream's last event comes with the next batch.
func (w *writer) write(b *batch) *failedWrite {
	if b.last != nil && w.revoked() {
		b.withhold()
	}
	total := b.size()
	if total == 0 {
		return nil
	}
	w.idle.Store(writeBusy)
	start := time.Now()
	last := start
	for at := 0; at < total; {
		n, err := w.to.write(b.between(at, min(at+w.step, total)))
		now := time.Now()
		at += n
		if err != nil {
			return &failedWrite{at: at, took: now.Sub(last), err: err}
		}
		if now.Sub(last) >= slowWrite {
			w.stream.Moving()
		}
		last = now
	}
	w.markIdle(last)
	w.outlets.metrics.wrote(total, len(b.ends), last.Sub(start))
	if b.last != nil {
		w.stream.Written(b.last)
		w.outlets.metrics.delivered(b.first.Age(last))
	}
	if b.ready {
		w.outlets.metrics.ready(w.stream.State().Age)
	}
	b.reset()
	return nil
}

// noteEnd is called where more is to be written.
func (w *writer) noteEnd() {
	if w.ended == 0 && w.stream.Ended() != nil {
		w.ended = time.Since(w.outlets.started)
	}
}

func (w *writer) markIdle(now time.Time) { w.idle.Store(int64(now.Sub(w.outlets.started))) }

// writeUnderWay reports whether a write has begun and not ended, or has failed.
func (w *writer) writeUnderWay() bool { return w.idle.Load() == writeBusy }

// idleSince returns when the last write ended; the zero time while one is under way.
func (w *writer) idleSince() time.Time {
	if w.writeUnderWay() {
		return time.Time{}
	}
	return w.outlets.started.Add(time.Duration(w.idle.Load()))
}

// verdict ends the stream with why, unless it has ended already, and returns the
// reason of its end.
func (w *writer) verdict(why *actors.Error) *actors.Error {
	w.stream.Fail(why)
	if err := w.stream.Ended(); err != nil {
		return err
	}
	return why
}
