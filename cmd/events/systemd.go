package main

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"
)

// sendTimeout bounds a datagram to a service manager that does not read: a drain must not wait for
// it.
const sendTimeout = time.Second

// systemd is the service manager that started the process, in a unit of Type=notify: it waits for
// datagrams at the socket that NOTIFY_SOCKET names (sd_notify(3)). Without that variable nothing is
// sent. A datagram that cannot be sent is a line in the log, and no more.
type systemd struct {
	socket string // a path, or a name in the abstract name space after "@"
	log    *slog.Logger
}

// ready reports that the service is up, or that a reload has ended; status is what `systemctl
// status` shows.
func (s systemd) ready(status string) { s.send("READY=1", "STATUS="+status) }

// reloading reports that a reload has begun: until ready is called `systemctl reload` waits, in a
// unit of Type=notify-reload.
func (s systemd) reloading() { s.send("RELOADING=1", fmt.Sprint("MONOTONIC_USEC=", monotonic())) }

// stopping reports the beginning of the drain, which takes no longer than most: the unit's
// TimeoutStopSec is extended to that where it is shorter.
func (s systemd) stopping(most time.Duration) {
	s.send("STOPPING=1", "STATUS=draining", fmt.Sprint("EXTEND_TIMEOUT_USEC=", (most+sendTimeout).Microseconds()))
}

// send sends one datagram of assignments.
func (s systemd) send(assignments ...string) {
	if s.socket == "" {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: s.socket, Net: "unixgram"})
	if err == nil {
		defer conn.Close()
		conn.SetWriteDeadline(time.Now().Add(sendTimeout))
		_, err = conn.Write([]byte(strings.Join(assignments, "\n")))
	}
	if err != nil {
		s.log.Warn("systemd cannot be told about the service's state", "error", err)
	}
}
