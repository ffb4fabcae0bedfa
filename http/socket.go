package httpapi

import (
	"net"
	"syscall"
	"time"
)

// vanishAfterCut takes the place of Options.VanishAfter for a client that was cut
// and told why: it finds its error when it wakes up within this time.
const vanishAfterCut = 5 * time.Minute

// tune removes net/http's deadlines from a hijacked connection, and bounds what a
// stuck client takes of the kernel's memory. Where a connection has no such
// setting it is left out.
func tune(conn net.Conn, o socketOptions) {
	conn.SetDeadline(time.Time{})
	base := underlying(conn)
	if tcp, ok := base.(interface{ SetWriteBuffer(bytes int) error }); ok {
		tcp.SetWriteBuffer(o.sendBuffer)
	}
	limitUnacked(base, o.vanishAfter)
}

// keepUntilRead leaves a stuck client time to find its error event.
func keepUntilRead(conn net.Conn) { limitUnacked(conn, vanishAfterCut) }

// underlying returns the socket below TLS, or conn itself.
func underlying(conn net.Conn) net.Conn {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return wrapped.NetConn()
	}
	return conn
}

// rawOf returns a connection's socket, for what package net has no method for; nil where the
// connection itself is none, as with TLS.
func rawOf(conn net.Conn) syscall.RawConn {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return nil
	}
	return raw
}
