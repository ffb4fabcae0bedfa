//go:build !linux

package main

// monotonic returns 0: only Linux has systemd, which asks for the clock.
func monotonic() int64 { return 0 }
