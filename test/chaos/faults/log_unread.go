package faults

import (
	"context"
	"fmt"
	"time"
)

// LogUnread leaves the proxy's log unread: the pipe that it goes into fills, as where a
// collector hangs. No stream may notice. It lasts until LogRead.
var LogUnread = Fault{"log-unread", func(_ context.Context, s Site) error { s.Process.LeaveLog(); return nil }, logFull}

// LogRead has it read again.
var LogRead = Fault{"log-read", func(_ context.Context, s Site) error { s.Process.ReadLog(); return nil }, nil}

// A log counts as full when the next line may not fit into its pipe.
const (
	logLine     = 512
	logFullSeen = 30 * time.Second // so long it is looked for
)

// logFull is a sign that the log's pipe is full, by the kernel's account.
func logFull(_ context.Context, s Site) (Sign, error) {
	return Kept(func(context.Context) (string, error) {
		unread, room, err := s.Process.LogPipe()
		if err != nil || unread+logLine < room {
			return "", err
		}
		return fmt.Sprintf("%d of %d bytes lie unread in the pipe of the proxy's log", unread, room), nil
	}, logFullSeen), nil
}
