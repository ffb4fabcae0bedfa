package main

import (
	"context"
	"errors"
	"io"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// onHangUp calls stop when the reader of a pipe has closed it, which a write would find out only
// with the next message; gone reports whether that has happened. It watches until ctx ends.
func onHangUp(ctx context.Context, w io.Writer, stop func()) (gone func() bool) {
	var hungUp atomic.Bool
	f, isFile := w.(*os.File)
	if !isFile {
		return hungUp.Load
	}
	if info, err := f.Stat(); err != nil || info.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return hungUp.Load
	}
	pipe := []unix.PollFd{{Fd: int32(f.Fd())}} // POLLERR and POLLHUP are always asked for
	go func() {                                // ends at most lookAgain after ctx, or with the process
		const lookAgain = 500 * time.Millisecond
		for ctx.Err() == nil {
			n, err := unix.Poll(pipe, int(lookAgain.Milliseconds()))
			switch {
			case n > 0 && pipe[0].Revents&(unix.POLLERR|unix.POLLHUP) != 0:
				hungUp.Store(true)
				stop()
				return
			case err != nil && !errors.Is(err, unix.EINTR):
				return
			}
		}
	}()
	return hungUp.Load
}
