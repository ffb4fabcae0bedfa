package faults

import (
	"testing"
)

// Five hundred clients receive two hundred messages each, in order and without
// loss, and leave; the broker and the process are then as they were.
func TestFiveHundredClientsReceiveEverythingAndLeaveNothing(t *testing.T) {
	for name, on := range map[string]func(*testing.T, settings) *rig{"memory": onMemory, "rabbitmq": onRabbitMQ} {
		t.Run(name, func(t *testing.T) {
			r := on(t, settings{})
			const count, each = 500, 200
			streams := r.crowd(count, exchange, "primary.#")
			if err := r.queues(count); err != nil {
				t.Fatal(err)
			}
			r.publish(1, each, 100)
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
