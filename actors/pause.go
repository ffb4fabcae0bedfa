package actors

import (
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

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
