package httpapi

import (
	"errors"
	"net"
	"os"
	"time"
)

// A client that takes bytes is not stuck, however long one message takes it. So
// a blocked write is looked at every second, and fails only when the client has
// taken nothing for the write timeout:
//
//	write ──▶ blocked ──1 s──▶ some went out, or the client's machine has
//	            ▲               acknowledged some? ──no, for too long──▶ stuck
//	            └──────────────── yes, or not yet ──┘
const (
	// checkProgress is the time between two looks at a blocked write.
	checkProgress = time.Second

	// plainStep is the most that is written in one call to a plain socket.
	plainStep = 256 << 10

	// tlsStep is the same behind TLS, and through net/http. Neither lets a write
	// go on that has missed its deadline, so what has one deadline is small: a
	// client that takes 32 KiB within the write timeout is never cut.
	tlsStep = 32 << 10
)

// write is the transport's, for plain sockets. Nearly always the socket has room: then one call
// does, and no deadline is set, which would cost a fifth of a small write.
func (c *hijacked) write(parts net.Buffers) (n int, err error) {
	if len(parts) == 1 && c.raw != nil {
		n, err = writeNow(c.raw, parts[0])
		if n == len(parts[0]) || (err != nil && !errors.Is(err, os.ErrDeadlineExceeded)) {
			return n, err
		}
		parts[0] = parts[0][n:]
	}
	m, err := c.writePatiently(parts)
	c.conn.SetWriteDeadline(time.Time{}) // or the next write would find one that has passed
	return n + m, err
}

// writePatiently waits for room, as long as the client takes bytes.
func (c *hijacked) writePatiently(parts net.Buffers) (n int, err error) {
	moved, unacked := time.Now(), -1
	for {
		due := time.Now().Add(min(checkProgress, c.timeout()))
		c.conn.SetWriteDeadline(due)
		var m int
		if m, err = c.writeSome(&parts); err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
			return n + m, err
		}
		n += m
		now, left := time.Now(), unackedBytes(c.conn)
		late := now.Sub(due) > checkProgress // the process stood still, not the client
		if m > 0 || (left >= 0 && left < unacked) || late {
			moved = now
			c.stream.Moving()
		}
		if unacked = left; now.Sub(moved) >= c.timeout() {
			return n, err
		}
	}
}

// writeSome writes until the deadline, and leaves in parts what has not gone out.
func (c *hijacked) writeSome(parts *net.Buffers) (int, error) {
	if len(*parts) == 1 {
		n, err := c.conn.Write((*parts)[0])
		(*parts)[0] = (*parts)[0][n:]
		return n, err
	}
	several := *parts                 // its address is taken: parts itself would be allocated for every write
	n, err := several.WriteTo(c.conn) // one writev
	*parts = several
	return int(n), err
}

// timeout returns for how long a client may take no byte.
func (c *hijacked) timeout() time.Duration {
	timeout := c.outlets.writeTimeout()
	switch {
	case !c.endKnown.Load():
		return timeout
	case c.revoked():
		return min(timeout, writeTimeoutAfterRevocation)
	}
	return min(timeout, writeTimeoutAfterEnd)
}

// tlsTransport is a hijacked connection's behind TLS.
type tlsTransport struct{ c *hijacked }

func (t tlsTransport) write(parts net.Buffers) (int, error) {
	t.c.conn.SetWriteDeadline(time.Now().Add(t.c.timeout()))
	return t.c.writeSome(&parts)
}
