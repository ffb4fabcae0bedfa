//go:build !linux

package clients

import (
	"errors"
	"net"
)

var errOnlyLinux = errors.New("on Linux only: elsewhere a socket has no filter for what comes in, and tells less of itself")

func disappear(net.Conn) error { return errOnlyLinux }

func reappear(net.Conn) error { return nil }

func unread(net.Conn) (int, error) { return 0, errOnlyLinux }

func unacknowledged(net.Conn) (int, error) { return 0, errOnlyLinux }
