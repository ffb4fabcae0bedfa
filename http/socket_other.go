//go:build !linux

package httpapi

import (
	"net"
	"time"
)

// limitUnacked leaves the operating system's own patience, and its keep-alive.
func limitUnacked(net.Conn, time.Duration) {}
