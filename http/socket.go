package httpapi

import (
	"net"
	"time"
)

// unreadFor is Options.VanishAfter for a client that was cut and told why: it
// finds its error when it wakes up within this time.
const unreadFor = 5 * time.Minute

// tune makes a hijacked connection one of ours: no deadlines of net/http, and
// a bound on what a stuck client takes of the kernel's memory. What a
// connection does not know is left out.
func tune(conn net.Conn, o Options) {
	conn.SetDeadline(time.Time{})
	base := underlying(conn)
	if tcp, ok := base.(interface{ SetWriteBuffer(bytes int) error }); ok {
		tcp.SetWriteBuffer(o.WriteBuffer)
	}
	limitUnacked(base, o.VanishAfter)
}

// keepUntilRead gives a stuck client time to find its last words.
func keepUntilRead(conn net.Conn) { limitUnacked(conn, unreadFor) }

// underlying gives the socket below TLS.
func underlying(conn net.Conn) net.Conn {
	if wrapped, ok := conn.(interface{ NetConn() net.Conn }); ok {
		return wrapped.NetConn()
	}
	return conn
}
