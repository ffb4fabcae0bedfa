//go:build !linux

package httpapi

import (
	"net"
	"time"
)

// limitUnacked does nothing: the operating system's own limit and its keep-alive
// apply.
func limitUnacked(net.Conn, time.Duration) {}

// unackedBytes returns -1: it is not known here.
func unackedBytes(net.Conn) int { return -1 }
