package httpapi

import (
	"os"
	"sync"
	"syscall"
)

// try is a write that does not wait. It is borrowed, as the function that a RawConn calls would be
// allocated for each write.
type try struct {
	bytes []byte
	n     int
	err   error
	write func(fd uintptr) (done bool)
}

var tries = sync.Pool{New: func() any {
	t := &try{}
	t.write = t.do
	return t
}}

func (t *try) do(fd uintptr) (done bool) {
	for {
		t.n, t.err = syscall.Write(int(fd), t.bytes)
		if t.err != syscall.EINTR {
			return true
		}
	}
}

// writeNow writes what a socket has room for, which may be nothing, and returns how many bytes that
// is. The error is that of a socket that has failed, or of a deadline that has passed.
func writeNow(socket syscall.RawConn, bytes []byte) (int, error) {
	t := tries.Get().(*try)
	defer tries.Put(t)
	t.bytes, t.n, t.err = bytes, 0, nil
	err := socket.Write(t.write)
	t.bytes = nil
	switch {
	case err != nil:
		return 0, err
	case t.err == syscall.EAGAIN:
		return 0, nil
	case t.err != nil:
		return 0, os.NewSyscallError("write", t.err)
	}
	return t.n, nil
}
