package httpapi

import (
	"errors"
	"net"
	"os"
	"runtime"
	"runtime/debug"
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
//	idle ───────────▶ writing ──────────────────────▶ again
//	  ▲                │  ▲  nothing came meanwhile     │
//	  └────────────────┘  └─────── takes once more ─────┘
//
// The socket is closed once, by close, whoever comes first: the client's end,
// the stream's end, a failed write, the shutdown.
type hijacked struct {
	writer
	conn    net.Conn
	start   func() // run, made once: a go statement with a method would allocate each time
	state   atomic.Int32
	hurried atomic.Bool
	closed  atomic.Bool
	place   place // with ends
}

const (
	idle    int32 = iota // no goroutine writes
	writing              // one does, and has taken all that waited
	again                // one does, and more has come to wait
	over                 // nothing will be written any more
)

const (
	// hurry is what a blocked write still gets once its stream has ended.
	hurry = time.Second

	// linger is how long the client's side is read after the stream's end.
	// Closing with unread bytes would make the kernel send a reset, which
	// destroys what the client has not read yet.
	linger = time.Second
)

// serveHijacked starts the stream; it returns at once. The head is written
// first of all.
func (h *Handler) serveHijacked(conn net.Conn, s stream, protocol string, head []byte) {
	c := &hijacked{conn: conn}
	c.start = c.run
	c.writer = writer{handler: h, stream: s, out: c, head: head}
	c.quiet.Store(time.Now().UnixNano())
	tune(conn, h.options)
	if !h.open.add(c, protocol) {
		s.Fail(errShuttingDown) // the handler is being closed: say so and end
	}
	c.state.Store(writing)
	s.Notify(c.wake)
	h.ends.watch(c)
	runtime.Gosched() // the actors speak first: head, ping and ready share a write, 7 % of a visit's CPU
	go c.start()      // owner: c; ends when nothing waits
}

// wake is told that events wait, or that the stream has ended. It may be
// called from any goroutine, and never waits.
func (c *hijacked) wake() {
	for {
		switch state := c.state.Load(); state {
		case idle:
			if c.state.CompareAndSwap(idle, writing) {
				go c.start() // owner: c; ends when nothing waits
				return
			}
		case writing:
			if c.state.CompareAndSwap(writing, again) {
				c.hurryUp()
				return
			}
		default:
			c.hurryUp()
			return
		}
	}
}

// hurryUp shortens the wait of a blocked write whose stream has ended: what is
// written then is the frames before the end, to a client that may be stuck.
func (c *hijacked) hurryUp() {
	if c.stream.Ended() != nil && !c.hurried.Swap(true) {
		c.conn.SetWriteDeadline(time.Now().Add(hurry))
	}
}

// run writes until nothing waits.
func (c *hijacked) run() {
	b := borrowBatch()
	defer b.giveBack()
	defer c.recovered(b)
	for {
		ended, failed := c.writeWaiting(b)
		switch {
		case failed != nil:
			c.fail(b, failed)
			return
		case ended:
			c.finish()
			return
		case c.state.CompareAndSwap(writing, idle):
			return
		}
		c.state.Store(writing) // it was again
	}
}

// write is the outlet's: with a deadline of its own for every call.
func (c *hijacked) write(parts net.Buffers) (int, error) {
	c.conn.SetWriteDeadline(time.Now().Add(c.handler.options.WriteDeadline))
	if c.hurried.Load() { // after the line above, which may have undone hurryUp
		c.conn.SetWriteDeadline(time.Now().Add(min(hurry, c.handler.options.WriteDeadline)))
	}
	if len(parts) == 1 {
		return c.conn.Write(parts[0])
	}
	several := parts                  // its address is taken: parts itself would be allocated for every write
	n, err := several.WriteTo(c.conn) // one writev
	return int(n), err
}

// fail ends the stream after a write that did not end.
func (c *hijacked) fail(b *batch, failed *failedWrite) {
	c.state.Store(over)
	if !errors.Is(failed.err, os.ErrDeadlineExceeded) {
		c.close() // the client has gone
		return
	}
	why := c.verdict(errTooSlow)
	told := c.tell(b.cut(failed.at), why)
	c.handler.metrics.cut(why.Code, told)
	c.handler.log.Debug("a client did not take its events in time", "stream", c.stream.ID(), "code", why.Code, "told", told)
	if told {
		c.finish()
	} else {
		c.abort()
	}
}

// finish ends a response whose last frame is complete: the client reads it,
// and then the end.
func (c *hijacked) finish() {
	c.state.Store(over)
	c.stream.Close()
	if half, ok := c.conn.(interface{ CloseWrite() error }); !ok || half.CloseWrite() != nil {
		c.close()
		return
	}
	time.AfterFunc(linger, c.close) // unless the client closes first
}

// abort ends a response in the middle of a frame, or with a client that is
// not there. A reset tells it from a proper end.
func (c *hijacked) abort() {
	c.state.Store(over)
	base := underlying(c.conn)
	if tcp, ok := base.(interface{ SetLinger(sec int) error }); ok {
		tcp.SetLinger(0)
	}
	if base != c.conn {
		base.Close() // or TLS would try to say goodbye first
	}
	c.close()
}

// close closes the socket and gives up the stream; once. A write that is under
// way fails.
func (c *hijacked) close() {
	if c.closed.Swap(true) {
		return
	}
	c.stream.Close()
	c.handler.ends.forget(c)
	c.conn.Close()
	c.handler.open.remove(c)
}

// expire is the watchdog's verdict over a stream that has fallen silent.
func (c *hijacked) expire(why *actors.Error) { c.stream.Fail(why) }

// recovered ends a stream whose writing panicked. Nothing of the batch that
// was being filled has gone out, so the client stands between two frames,
// unless the panic came out of the write itself.
func (c *hijacked) recovered(b *batch) {
	v := recover()
	if v == nil {
		return
	}
	c.handler.panicked(v, debug.Stack(), "stream", c.stream.ID())
	why := c.verdict(errDefect)
	inWrite := c.quiet.Load() == 0
	if inWrite {
		c.abort()
		return
	}
	head := c.head
	if b.headed {
		head = b.cut(0)
	}
	c.head = nil
	if _, err := c.write(net.Buffers{append(head, errorFrame(why)...)}); err != nil {
		c.abort()
		return
	}
	c.finish()
}
