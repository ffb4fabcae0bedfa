package httpapi

import (
	"net"
	"os"
	"syscall"
)

// epoll waits for signs of life and death on many sockets at once. It is
// itself a file that Go's poller waits for, so its one goroutine holds no
// thread.
//
//	sockets ──▶ epoll ──▶ Go's poller ──▶ run
type epoll struct {
	fd   int
	file *os.File // the same, as a file
}

func newEpoll() (*epoll, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // or the file would not wait, but block
		syscall.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	return &epoll{fd: fd, file: os.NewFile(uintptr(fd), "epoll")}, nil
}

const (
	// deaths say that the other side has ended; errors come unasked.
	deaths = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR

	// signs are what is asked for.
	signs = syscall.EPOLLIN | syscall.EPOLLRDHUP
)

// add asks for the signs of a socket, under two numbers of the caller's.
func (e *epoll) add(socket syscall.Conn, place, life int32) error {
	raw, err := socket.SyscallConn()
	if err != nil {
		return err
	}
	event := syscall.EpollEvent{Events: signs, Fd: place, Pad: life}
	var failed error
	if err := raw.Control(func(fd uintptr) {
		failed = os.NewSyscallError("epoll_ctl", syscall.EpollCtl(e.fd, syscall.EPOLL_CTL_ADD, int(fd), &event))
	}); err != nil {
		return err
	}
	return failed
}

// run tells what is noticed, until close.
func (e *epoll) run(noticed func(place, life int32, gone bool)) {
	raw, err := e.file.SyscallConn()
	if err != nil {
		return // closed
	}
	var events [128]syscall.EpollEvent
	for {
		n := 0
		err := raw.Read(func(fd uintptr) (done bool) {
			n = wait(int(fd), events[:])
			return n != 0
		})
		if err != nil || n < 0 {
			return
		}
		for _, event := range events[:n] {
			noticed(event.Fd, event.Pad, event.Events&deaths != 0)
		}
	}
}

// wait gives what has been noticed by now: the number of events, below 0 for
// an error that will not pass.
func wait(fd int, events []syscall.EpollEvent) int {
	for {
		n, err := syscall.EpollWait(fd, events, 0)
		if err != syscall.EINTR {
			return n // -1 with an error
		}
	}
}

// close ends run.
func (e *epoll) close() { e.file.Close() }

// discard reads and drops what a client has sent, a little at a time: the
// epoll tells of the rest again. It fails when the socket does.
func discard(conn net.Conn) bool {
	raw, err := conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return false
	}
	var nothing [4096]byte
	alive := true
	err = raw.Read(func(fd uintptr) (done bool) {
		n, err := syscall.Read(int(fd), nothing[:])
		alive = n > 0 || err == syscall.EAGAIN || err == syscall.EINTR
		return true
	})
	return err == nil && alive
}
