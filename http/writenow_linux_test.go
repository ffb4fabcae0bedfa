package httpapi

import (
	"io"
	"net"
	"testing"
	"time"
)

// deadlines counts the deadlines of a socket's writes.
type deadlines struct {
	*net.TCPConn
	set  int
	last time.Time
}

func (d *deadlines) SetWriteDeadline(t time.Time) error {
	d.set, d.last = d.set+1, t
	return d.TCPConn.SetWriteDeadline(t)
}

// A small message to a client that keeps up costs one system call and no timer. One that has to wait
// for room arrives as a whole, and the next ones are as cheap as before.
func TestAWriteWithRoomSetsNoDeadline(t *testing.T) {
	ours, theirs := pair(t)
	defer ours.Close()
	conn := &deadlines{TCPConn: ours}
	c := &hijacked{}
	c.conn, c.raw = conn, rawOf(conn)
	c.writer = writer{outlets: bare(t, Options{}).outlets, stream: &script{}, to: c, step: plainStep}
	send := func(size int) {
		t.Helper()
		if n, err := c.write(net.Buffers{make([]byte, size)}); n != size || err != nil {
			t.Fatalf("%d of %d bytes were written: %v", n, size, err)
		}
	}
	read := func(size int64) {
		theirs.SetReadDeadline(time.Now().Add(patience))
		if n, err := io.CopyN(io.Discard, theirs, size); err != nil {
			t.Errorf("%d of %d bytes have arrived: %v", n, size, err)
		}
	}
	const small, large = 100, 32 << 20 // more than both buffers take
	send(small)
	if conn.set > 0 {
		t.Errorf("%d deadlines for a write with room", conn.set)
	}
	read(small)
	reading := make(chan struct{})
	go func() { defer close(reading); read(large) }()
	send(large)
	<-reading
	if conn.set == 0 || !conn.last.IsZero() {
		t.Errorf("%d deadlines for a write without room, of which the last stays: %v", conn.set, conn.last)
	}
	conn.set = 0
	send(small)
	read(small)
	if conn.set > 0 {
		t.Errorf("%d deadlines after a write without room", conn.set)
	}
}

// A write that can't wait any more, as its deadline has passed, is tried with one of its own.
func TestADeadlineThatHasPassedDoesNotFailTheNextWrite(t *testing.T) {
	ours, theirs := pair(t)
	defer ours.Close()
	c := &hijacked{}
	c.conn, c.raw = ours, rawOf(ours)
	c.writer = writer{outlets: bare(t, Options{}).outlets, stream: &script{}, to: c, step: plainStep}
	ours.SetWriteDeadline(time.Now().Add(-time.Second))
	if n, err := c.write(net.Buffers{[]byte("ab")}); n != 2 || err != nil {
		t.Fatalf("%d bytes were written: %v", n, err)
	}
	theirs.Close()
	for deadline := time.Now().Add(patience); ; time.Sleep(time.Millisecond) { // until the reset has come
		if _, err := c.write(net.Buffers{[]byte("ab")}); err != nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("writing to a client that has left goes on")
		}
	}
}
