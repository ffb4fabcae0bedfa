//go:build !linux

package httpapi

import (
	"net"
	"time"
)

// limitUnacked does nothing: the operating system's own limit and its keep-alive
// apply.
func limitUnacked(net.Conn, time.Duration) {}
