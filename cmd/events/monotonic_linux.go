package main

import "golang.org/x/sys/unix"

// monotonic returns the time of the system's monotonic clock, in microseconds.
func monotonic() int64 {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return now.Nano() / 1000
}
