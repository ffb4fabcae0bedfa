package httpapi

import (
	"os"
	"syscall"
)

// epoll waits for input and for the end of the other side on many sockets at
// once. It is itself a file that Go's poller waits for, so its one goroutine
// holds no thread.
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
	// peerGone are the events that mean that the other side has ended; errors
	// are reported without being asked for.
	peerGone = syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR

	// watchedEvents are the events that are asked for.
	watchedEvents = syscall.EPOLLIN | syscall.EPOLLRDHUP
)

// add watches a socket, whose events are reported with the two numbers.
func (e *epoll) add(socket syscall.RawConn, place, use int32) error {
	return e.control(socket, syscall.EPOLL_CTL_ADD, syscall.EpollEvent{Events: watchedEvents, Fd: place, Pad: use})
}

// change makes input of a watched socket be reported, or not.
func (e *epoll) change(socket syscall.RawConn, place, use int32, input bool) error {
	event := syscall.EpollEvent{Events: watchedEvents, Fd: place, Pad: use}
	if !input {
		event.Events = syscall.EPOLLRDHUP
	}
	return e.control(socket, syscall.EPOLL_CTL_MOD, event)
}

func (e *epoll) control(socket syscall.RawConn, operation int, event syscall.EpollEvent) error {
	var failed error
	if err := socket.Control(func(fd uintptr) {
		failed = os.NewSyscallError("epoll_ctl", syscall.EpollCtl(e.fd, operation, int(fd), &event))
	}); err != nil {
		return err
	}
	return failed
}

// run calls handle for every event, until close. gone is true when the other
// side has ended, false when it has sent something.
func (e *epoll) run(handle func(place, use int32, gone bool)) {
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
			handle(event.Fd, event.Pad, event.Events&peerGone != 0)
		}
	}
}

// wait fills events with those that are there already, and returns their number;
// a negative one is an error that will not pass.
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

// discard reads and drops up to 4 KiB of what a client has sent: the epoll
// reports the rest again. alive is false when the socket has ended or failed.
func discard(socket syscall.RawConn) (n int, alive bool) {
	var discarded [4096]byte
	err := socket.Read(func(fd uintptr) (done bool) {
		var failed error
		n, failed = syscall.Read(int(fd), discarded[:])
		alive = n > 0 || failed == syscall.EAGAIN || failed == syscall.EINTR
		return true
	})
	return max(n, 0), err == nil && alive
}
