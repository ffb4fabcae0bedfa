package httpapi

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"runtime/debug"
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
	notified chan struct{} // of one: it says "look again"
	quit     chan struct{}
	quitOnce sync.Once
}

// serveFlushed serves the stream to its end. The response's head is set, not
// written.
func (h *Handler) serveFlushed(ctx context.Context, w http.ResponseWriter, s stream, protocol string) {
	f := &flushed{
		response: w, control: http.NewResponseController(w),
		notified: make(chan struct{}, 1), quit: make(chan struct{}),
	}
	f.writer = writer{handler: h, stream: s, out: f}
	f.quiet.Store(time.Now().UnixNano())
	defer s.Close()
	defer h.open.remove(f)
	if !h.open.add(f, protocol) {
		s.Fail(errShuttingDown)
	}
	_ = f.control.SetReadDeadline(time.Time{}) // a host's ReadTimeout is for requests; a recorder has none
	w.WriteHeader(http.StatusOK)
	if err := f.flush(); err != nil {
		return // the client has gone
	}
	s.Notify(f.wake)
	f.run(ctx)
}

// wake is told that events wait, or that the stream has ended.
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
			return
		case <-f.quit:
			panic(http.ErrAbortHandler) // the client must not take it for an end
		}
	}
}

// writeOnce writes what waits, and tells whether the stream goes on.
func (f *flushed) writeOnce() (goesOn bool) {
	b := borrowBatch()
	defer b.giveBack()
	defer f.recovered(&goesOn)
	ended, failed := f.writeWaiting(b)
	if failed != nil {
		f.fail(failed)
	}
	return !ended && failed == nil
}

// write is the outlet's: deadline, write, flush. The deadline is cleared after
// it: on HTTP/2 one that passes while the stream is idle resets the stream.
func (f *flushed) write(parts net.Buffers) (n int, err error) {
	if err := f.deadline(time.Now().Add(f.handler.options.WriteDeadline)); err != nil {
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

// deadline sets the write deadline where the response has one: a recorder
// never blocks.
func (f *flushed) deadline(t time.Time) error {
	if err := f.control.SetWriteDeadline(t); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	return nil
}

// fail ends the stream after a write that did not end. net/http gives no
// second try, so a stuck client cannot be told; the broken response tells it
// from a proper end.
func (f *flushed) fail(failed *failedWrite) {
	// HTTP/2 says of a missed deadline only that the stream is gone.
	if failed.took < f.handler.options.WriteDeadline && !errors.Is(failed.err, os.ErrDeadlineExceeded) {
		return // the client has gone
	}
	why := f.verdict(errTooSlow)
	f.handler.metrics.cut(why.Code, false)
	panic(http.ErrAbortHandler)
}

func (f *flushed) expire(why *actors.Error) { f.stream.Fail(why) }

func (f *flushed) abort() { f.quitOnce.Do(func() { close(f.quit) }) }

// recovered ends a stream whose writing panicked, as hijacked.recovered does.
func (f *flushed) recovered(goesOn *bool) {
	v := recover()
	if v == nil {
		return
	}
	*goesOn = false
	if v == http.ErrAbortHandler {
		panic(v)
	}
	f.handler.panicked(v, debug.Stack(), "stream", f.stream.ID())
	if f.quiet.Load() == 0 { // in the middle of a write
		panic(http.ErrAbortHandler)
	}
	if _, err := f.write(net.Buffers{errorFrame(f.verdict(errDefect))}); err != nil {
		panic(http.ErrAbortHandler)
	}
}
