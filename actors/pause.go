package actors

import (
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// callTimeout is how long a call on a link may take before its stream is told. The heartbeat of a link
// that is lost within its handshake may never fire. A stream of a hundred bindings makes over a
// hundred calls.
const callTimeout = 10 * time.Second

// pauseOn waits; it is cut short by a value of wake, which may be nil, and by the end of the link.
func pauseOn(link amqp.Link, d time.Duration, wake <-chan struct{}) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-wake:
	case <-link.Lost():
	}
}
