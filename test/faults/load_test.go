package faults

import (
	"testing"
)

// Five hundred clients receive two hundred messages each, in order and without
// loss, and leave; the broker and the process are then as they were.
func TestFiveHundredClientsReceiveEverythingAndLeaveNothing(t *testing.T) {
	const count, each, atOnce = 500, 200, 20
	for name, c := range map[string]struct {
		on     func(*testing.T, settings) *rig
		share  bool
		queues int
	}{
		"on memory":                        {onMemory, false, count},
		"on RabbitMQ":                      {onRabbitMQ, false, count},
		"on RabbitMQ, which has one queue": {onRabbitMQ, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			r := c.on(t, settings{share: c.share})
			streams := r.crowd(count, exchange, "primary.#")
			r.eventually("each has its queue", func() error { return r.queues(c.queues) }) // what queues drop may be heard a moment later
			r.publishAsRead(streams, each, atOnce, 100, func() {})
			for _, s := range streams {
				r.awaits(s, messages(each)) // and Check has compared their numbers
			}
			for _, s := range streams {
				s.Close()
			}
			r.clean()
		})
	}
}
