//go:build !race

package httpapi

import (
	"net"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// sink is a transport that takes everything.
type sink struct{}

func (sink) write(parts net.Buffers) (n int, err error) {
	for _, part := range parts {
		n += len(part)
	}
	return n, nil
}

// From what waits in a stream to the bytes that the socket gets: a batch of
// small messages, and one that is written from where it lies.
func TestWritingADeliveryAllocatesNothing(t *testing.T) {
	w := &writer{outlets: bare(t, Options{}).outlets, stream: &endless{event: message(`{"payload":"` + long(256) + `"}`)}, to: sink{}, step: plainStep}
	large := &writer{outlets: w.outlets, stream: &endless{event: message(`{"payload":"` + long(largeData) + `"}`)}, to: sink{}, step: plainStep}
	b := borrowBatch()
	defer b.giveBack()
	if allocs := testing.AllocsPerRun(100, func() {
		for _, w := range []*writer{w, large} {
			if _, failed := w.writeWaiting(b); failed != nil {
				t.Fatal(failed)
			}
		}
	}); allocs != 0 {
		t.Errorf("%v allocations for %d deliveries", allocs, 2*taken)
	}
}

// endless is a stream where the same message always waits, several times.
type endless struct {
	script
	event actors.Event
}

const taken = 50

func (e *endless) Take(events []actors.Event) []actors.Event {
	events = events[:0]
	for range taken {
		events = append(events, e.event)
	}
	return events
}
