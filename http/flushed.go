package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// flushed writes a stream through its http.ResponseWriter, where the socket is
// not to be had: HTTP/2, middleware, a recorder. The handler's own goroutine
// waits for events and writes them.
type flushed struct {
	writer
	response http.ResponseWriter
	control  *http.ResponseController
	notified chan struct{} // one is enough: it means "look again"
	left     <-chan bool   // receives when the client has left; nil where that is not known
	aborted  chan struct{} // closed by abort
	abortOne sync.Once
	told     bool // the last event has been written
}

// serveFlushed serves the stream, and returns at its end. The response's headers
// have been set, and nothing has been written. It panics with
// http.ErrAbortHandler where the response must not look complete.
func (o *outlets) serveFlushed(ctx context.Context, w http.ResponseWriter, s stream, protocol string) {
	f := &flushed{
		response: w, control: http.NewResponseController(w), left: clientLeft(w),
		notified: make(chan struct{}, 1), aborted: make(chan struct{}),
	}
	f.writer = writer{outlets: o, stream: s, to: f, step: tlsStep}
	f.markIdle(time.Now())
	defer f.close()
	if !o.registry.add(f, protocol) {
		s.Fail(errShuttingDown)
	}
	o.streamOpened(s, protocol)
	_ = f.control.SetReadDeadline(time.Time{}) // a host's ReadTimeout is for requests; a recorder has none
	w.WriteHeader(http.StatusOK)
	if err := f.flush(); err != nil {
		return // the client has left
	}
	s.Notify(f.wake)
	f.run(ctx)
}

func (f *flushed) close() {
	f.stream.Close()
	f.outlets.streamEnded(f.stream, f.told)
	f.outlets.registry.remove(f)
}

// wake is called when events come to wait, and when the stream has ended. It may
// be called concurrently, and never blocks.
func (f *flushed) wake() {
	select {
	case f.notified <- struct{}{}:
	default:
	}
}

func (f *flushed) run(ctx context.Context) {
	for {
		select {
		case <-f.notified:
			if !f.writeOnce() {
				return
			}
		case <-ctx.Done():
			f.endWith(ctx)
			return
		case <-f.aborted:
			panic(http.ErrAbortHandler) // the client must not take it for an end
		}
	}
}

// clientLeftWithin is how long after a request was cancelled net/http may take to
// report that it was the client.
const clientLeftWithin = 100 * time.Millisecond

// endWith ends a stream whose request's context has ended. Where it was not the
// client who left, it was a middleware of the host, and the client is told.
func (f *flushed) endWith(ctx context.Context) {
	why := errHostCancelled
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		why = errHostDeadline
	} else {
		select {
		case <-f.left:
			return
		case <-time.After(clientLeftWithin):
		}
	}
	f.stream.Fail(why)
	f.writeOnce()
}

// clientLeft returns net/http's word that the client itself has left, which a
// context that a host may have cancelled does not provide.
func clientLeft(w http.ResponseWriter) <-chan bool {
	for {
		//lint:ignore SA1019 Request.Context ends for the host's reasons, too
		if notifier, ok := w.(http.CloseNotifier); ok {
			return notifier.CloseNotify()
		}
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return nil
		}
		w = wrapper.Unwrap()
	}
}

// writeOnce writes what waits, and reports whether the stream goes on.
func (f *flushed) writeOnce() (goesOn bool) {
	b := borrowBatch()
	defer b.giveBack()
	defer f.recoverPanic(&goesOn)
	ended, failed := f.writeWaiting(b)
	if failed != nil {
		f.endAfter(failed)
	}
	f.told = ended && failed == nil
	return !ended && failed == nil
}

// write is the transport's: deadline, write, flush. The deadline is cleared after
// it: on HTTP/2 one that passes while the stream is idle resets the stream.
func (f *flushed) write(parts net.Buffers) (n int, err error) {
	if err := f.deadline(time.Now().Add(f.outlets.writeTimeout())); err != nil {
		return 0, err
	}
	for _, part := range parts {
		m, err := f.response.Write(part)
		n += m
		if err != nil {
			return n, err
		}
	}
	if err := f.control.Flush(); err != nil {
		return n, err
	}
	return n, f.deadline(time.Time{})
}

func (f *flushed) flush() error {
	_, err := f.write(nil)
	return err
}

// deadline sets the write deadline. It returns nil where the response has none: a
// recorder never blocks.
func (f *flushed) deadline(t time.Time) error {
	if err := f.control.SetWriteDeadline(t); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// endAfter ends the stream after a write that failed. net/http allows no second
// try, so a stuck client cannot be told; the broken response tells it from a
// proper end.
func (f *flushed) endAfter(failed *failedWrite) {
	// With HTTP/2 the error of a missed deadline is that the stream is closed.
	if failed.took < f.outlets.writeTimeout() && !errors.Is(failed.err, os.ErrDeadlineExceeded) {
		return // the client has left
	}
	why := f.verdict(errTooSlow)
	f.outlets.metrics.cut(why.Code, false)
	panic(http.ErrAbortHandler)
}

// fail ends the stream with an error event.
func (f *flushed) fail(why *actors.Error) { f.stream.Fail(why) }

// abort ends the response as it stands.
func (f *flushed) abort() { f.abortOne.Do(func() { close(f.aborted) }) }

// recoverPanic ends a stream whose writing panicked, as that of hijacked does.
func (f *flushed) recoverPanic(goesOn *bool) {
	v := recover()
	if v == nil {
		return
	}
	*goesOn = false
	if v == http.ErrAbortHandler {
		panic(v)
	}
	f.outlets.recovered(v, f.stream)
	if f.writeUnderWay() {
		panic(http.ErrAbortHandler)
	}
	if _, err := f.write(net.Buffers{errorFrame(f.verdict(errDefect))}); err != nil {
		panic(http.ErrAbortHandler)
	}
	f.told = true
}
