package httpapi

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// acceptLogPeriod is the shortest time between two log lines about connections that could not be
// accepted: while the process has no file descriptor left, each attempt fails.
const acceptLogPeriod = time.Minute

// listener counts and logs failures to accept a connection. http.Server tries again after each that
// is temporary, such as EMFILE; the streams that are open go on.
type listener struct {
	net.Listener
	log     *slog.Logger
	metrics *metrics

	mu     sync.Mutex
	failed int       // since the last line
	logged time.Time // the last line
}

// Accept returns the next connection, or the error of http.Server's Accept.
func (l *listener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		l.note(err, time.Now())
	}
	return conn, err
}

func (l *listener) note(err error, now time.Time) {
	l.metrics.acceptFailures.Inc()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failed++
	if !l.logged.IsZero() && now.Sub(l.logged) < acceptLogPeriod {
		return
	}
	l.log.Error("no connection can be accepted; open streams go on", "error", err, "failures", l.failed)
	l.failed, l.logged = 0, now
}
