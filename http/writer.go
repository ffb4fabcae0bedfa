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

// writer turns a stream's events into frames and hands them to a transport: the
// part of the work that is the same for every kind of connection.
//
//	stream ──Take──▶ events ──frames──▶ batch ──write──▶ transport
//	   ▲                                                   │
//	   └───────────────── Done: the broker may forget ◀────┘
//
// What waits goes out in as few writes as possible: 32 KiB gathered for one, or
// a large message from where it lies. One goroutine at a time writes.
type writer struct {
	outlets *outlets
	stream  stream
	to      transport
	head    []byte // what goes before the first frame; nil once it is written

	// idleSince is when the last write ended, in Unix nanoseconds; 0 while one is
	// under way. The watchdog reads it.
	idleSince atomic.Int64
}

// transport is where a writer's bytes go.
type transport interface {
	// write writes the parts within the write timeout, and returns how many bytes
	// have gone out; an error where that is not all. It may change the list of
	// parts, not the bytes.
	write(parts net.Buffers) (int, error)
}

// writeStep is the most that is written under one deadline: a client that
// takes a large message slowly but steadily is not a stuck one.
const writeStep = 256 << 10

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
		}
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
	if len(b.events) > 0 {
		w.stream.Done()
	}
	return ended, nil
}

// addDefect ends the stream for an event that cannot be put into a frame.
func (w *writer) addDefect(b *batch, cause error) {
	w.outlets.log.Error("event without a frame", "stream", w.stream.ID(), "error", cause)
	if err := b.add(w.verdict(errDefect)); err != nil {
		panic(err) // its JSON is ours, on one line
	}
}

// write writes a batch and empties it. It returns nil unless a write failed.
func (w *writer) write(b *batch) *failedWrite {
	total := b.size()
	if total == 0 {
		return nil
	}
	w.idleSince.Store(0)
	start := time.Now()
	step := start
	for at := 0; at < total; {
		n, err := w.to.write(b.between(at, min(at+writeStep, total)))
		now := time.Now()
		at += n
		if err != nil {
			return &failedWrite{at: at, took: now.Sub(step), err: err}
		}
		step = now
	}
	w.markIdle(step)
	w.outlets.metrics.wrote(total, len(b.ends), step.Sub(start))
	b.reset()
	return nil
}

func (w *writer) markIdle(now time.Time) { w.idleSince.Store(now.UnixNano()) }

// writeUnderWay reports whether a write has begun and not ended, or has failed.
func (w *writer) writeUnderWay() bool { return w.idleSince.Load() == 0 }

// idleFor returns for how long nothing has been written; 0 while a write is under
// way.
func (w *writer) idleFor(now time.Time) time.Duration {
	since := w.idleSince.Load()
	if since == 0 {
		return 0
	}
	return now.Sub(time.Unix(0, since))
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
