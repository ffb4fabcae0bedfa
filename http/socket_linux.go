package httpapi

import (
	"net"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// tcpUserTimeout is TCP_USER_TIMEOUT of linux/tcp.h, which package syscall
// does not name: milliseconds that sent bytes may stay unacknowledged.
const tcpUserTimeout = 18

// limitUnacked limits how long sent bytes may stay unacknowledged before the
// kernel ends the connection. It does nothing where conn is no socket.
func limitUnacked(conn net.Conn, d time.Duration) {
	raw := rawOf(conn)
	if raw == nil {
		return
	}
	raw.Control(func(fd uintptr) {
		// Fails on a Unix socket, whose peer cannot vanish.
		_ = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(d.Milliseconds()))
	})
}

// unackedBytes returns how many bytes the other machine has not acknowledged yet,
// those that were not sent included; -1 where that is not known.
func unackedBytes(conn net.Conn) int {
	raw := rawOf(conn)
	if raw == nil {
		return -1
	}
	n := -1
	raw.Control(func(fd uintptr) {
		if queued, err := unix.IoctlGetInt(int(fd), unix.SIOCOUTQ); err == nil {
			n = queued
		}
	})
	return n
}
