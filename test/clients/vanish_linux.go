package clients

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"
)

// nothing is a classic BPF program of one instruction, "ret 0": the kernel
// drops every segment that comes for the socket. Nothing is acknowledged, as
// if the machine were gone; and no privilege is needed.
var nothing = unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0}

// disappear makes a socket deaf and silent.
func disappear(socket net.Conn) error {
	return control(socket, func(fd int) error {
		// Its own probes would tell the other side that it is still there.
		if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 0); err != nil {
			return err
		}
		return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: 1, Filter: &nothing})
	})
}

// reappear undoes it, so that the kernel can end the connection and forget it.
func reappear(socket net.Conn) error {
	return control(socket, func(fd int) error {
		return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	})
}

func control(socket net.Conn, do func(fd int) error) error {
	raw, err := socket.(syscall.Conn).SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err := raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}
