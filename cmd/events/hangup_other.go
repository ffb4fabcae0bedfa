//go:build !linux

package main

import (
	"context"
	"io"
)

// onHangUp does nothing here: a write finds out that the reader has closed the pipe.
func onHangUp(context.Context, io.Writer, func()) (gone func() bool) {
	return func() bool { return false }
}
