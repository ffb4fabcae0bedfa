package httpapi

import (
	"context"
	"errors"
	"net"
	"os"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// hijacked writes a stream to a socket of its own, taken over from net/http
// after the route and the checks. The response has no length and no chunks, it
// ends with the connection.
//
// It writes on demand: the goroutine starts when events come to wait and ends
// when none do. An idle stream has no goroutine for writing and no buffer.
//
//	        Notify                      Notify
//	idle ───────────▶ writing ──────────────────────▶ writingMore
//	  ▲                │  ▲  nothing came meanwhile     │
//	  └────────────────┘  └─────── takes once more ─────┘
//
// The socket is closed once, by close, whichever comes first: the client's end,
// the stream's end, a failed write, the shutdown.
type hijacked struct {
	writer
	peer
	start    func() // run, made once: a go statement with a method would allocate each time
	state    atomic.Int32
	endKnown atomic.Bool                // the stream has ended while a write was under way
	told     atomic.Bool                // the last event has been written
	deadline atomic.Pointer[time.Timer] // of the host's request; nil without one
}

// The states of a hijacked connection's writing.
const (
	stateIdle        int32 = iota // no goroutine writes
	stateWriting                  // one does, and has taken all that waited
	stateWritingMore              // one does, and more has come to wait
	stateOver                     // nothing will be written any more
)

const (
	// writeTimeoutAfterEnd takes the place of Options.WriteDeadline once the stream
	// has ended: a client that takes no byte for so long is told without them. The
	// kernel takes bytes from a writer by the 40 KiB, which a client of 10 KiB a
	// second makes room for within this time.
	writeTimeoutAfterEnd = 4 * time.Second

	// writeTimeoutAfterRevocation is the same where the client may not read any more.
	writeTimeoutAfterRevocation = 500 * time.Millisecond

	// lingerTimeout is how long the client's side is read after the stream's end.
	// Closing with unread bytes would make the kernel send a reset, which
	// destroys what the client has not read yet.
	lingerTimeout = time.Second
)

// serveHijacked starts the stream and returns at once. The head is written
// before the first event.
func (o *outlets) serveHijacked(conn net.Conn, s stream, protocol string, head []byte) *hijacked {
	c := &hijacked{}
	c.conn, c.raw, c.start = conn, rawOf(conn), c.run
	c.writer = writer{outlets: o, stream: s, to: c, step: plainStep, head: head}
	if _, tls := conn.(interface{ NetConn() net.Conn }); tls {
		c.to, c.step = tlsTransport{c}, tlsStep
	}
	c.markIdle(time.Now())
	tune(conn, o.sockets)
	if !o.registry.add(c, protocol) {
		s.Fail(errShuttingDown) // the handler is being shut down: tell the client and end
	}
	o.streamOpened(s, protocol)
	c.state.Store(stateWriting)
	s.Notify(c.wake)
	o.peers.watch(c)
	runtime.Gosched() // the actors run first: head, ping and ready share a write, 7 % of a visit's CPU
	go c.start()      // owner: c; ends when nothing waits
	return c
}

// endWith ends the stream at the deadline that a host's middleware has set for the
// request. That such a context is cancelled means nothing here: net/http cancels
// it when the handler returns, which it does at once (see Options.NoHijack).
func (c *hijacked) endWith(request context.Context) {
	if deadline, ok := request.Deadline(); ok {
		timer := time.AfterFunc(time.Until(deadline), func() { c.fail(errHostDeadline) })
		if c.deadline.Store(timer); c.closed.Load() {
			timer.Stop()
		}
	}
}

// wake is called when events come to wait, and when the stream has ended. It may
// be called concurrently, and never blocks.
func (c *hijacked) wake() {
	for {
		switch state := c.state.Load(); state {
		case stateIdle:
			if c.state.CompareAndSwap(stateIdle, stateWriting) {
				go c.start() // owner: c; ends when nothing waits
				return
			}
		case stateWriting:
			if c.state.CompareAndSwap(stateWriting, stateWritingMore) {
				c.shortenTimeout()
				return
			}
		default:
			c.shortenTimeout()
			return
		}
	}
}

// shortenTimeout shortens the wait of a blocked write whose stream has ended: what it
// writes are the frames before the end, to a client that may be stuck.
func (c *hijacked) shortenTimeout() {
	if c.stream.Ended() != nil && !c.endKnown.Swap(true) {
		c.conn.SetWriteDeadline(time.Now().Add(c.timeout()))
	}
}

// run writes until nothing waits.
func (c *hijacked) run() {
	b := borrowBatch()
	defer b.giveBack()
	defer c.recoverPanic(b)
	for {
		ended, failed := c.writeWaiting(b)
		switch {
		case failed != nil:
			c.endAfter(b, failed)
			return
		case ended:
			c.finish()
			return
		case c.state.CompareAndSwap(stateWriting, stateIdle):
			return
		}
		c.state.Store(stateWriting) // it was stateWritingMore
	}
}

// endAfter ends the stream after a write that failed.
func (c *hijacked) endAfter(b *batch, failed *failedWrite) {
	c.state.Store(stateOver)
	if !errors.Is(failed.err, os.ErrDeadlineExceeded) {
		c.close() // the client has left
		return
	}
	why := c.verdict(errTooSlow)
	told := c.tellStuckClient(b.restOfFrame(failed.at), why)
	c.outlets.metrics.cut(why.Code, told)
	c.outlets.log.DebugContext(c.stream.Context(), "a client did not take its events in time", "stream", c.stream.ID(), "code", why.Code, "told", told)
	if told {
		c.finish()
	} else {
		c.abort()
	}
}

// finish ends a response whose last frame is complete: the client reads it,
// and then the end.
func (c *hijacked) finish() {
	c.state.Store(stateOver)
	c.told.Store(true)
	c.stream.Close()
	if half, ok := c.conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		c.close()
		return
	}
	time.AfterFunc(lingerTimeout, c.close) // unless the client closes first
}

// abort ends a response in the middle of a frame, or with a client that is
// not there. A reset tells it from a proper end.
func (c *hijacked) abort() {
	c.state.Store(stateOver)
	base := underlying(c.conn)
	if tcp, ok := base.(interface{ SetLinger(sec int) error }); ok {
		tcp.SetLinger(0)
	}
	if base != c.conn {
		base.Close() // or TLS would try to send its close alert first
	}
	c.close()
}

// close closes the socket and the stream; once. A write that is under way fails.
func (c *hijacked) close() {
	if c.closed.Swap(true) {
		return
	}
	c.stream.Close()
	if timer := c.deadline.Load(); timer != nil {
		timer.Stop()
	}
	c.outlets.peers.forget(c)
	c.conn.Close()
	c.outlets.streamEnded(c.stream, c.told.Load())
	c.outlets.registry.remove(c)
}

// fail ends the stream with an error event.
func (c *hijacked) fail(why *actors.Error) { c.stream.Fail(why) }

// recoverPanic ends a stream whose writing panicked. Nothing of the batch that
// was being filled was sent, so the client stands between two frames,
// unless the panic came out of the write itself.
func (c *hijacked) recoverPanic(b *batch) {
	v := recover()
	if v == nil {
		return
	}
	c.outlets.recovered(v, c.stream)
	why := c.verdict(errDefect)
	if c.writeUnderWay() {
		c.abort()
		return
	}
	head := c.head
	if b.headed {
		head = b.restOfFrame(0)
	}
	c.head = nil
	if _, err := c.write(net.Buffers{append(head, errorFrame(why)...)}); err != nil {
		c.abort()
		return
	}
	c.finish()
}
