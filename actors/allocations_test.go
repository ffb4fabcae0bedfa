//go:build !race

package actors

import (
	"context"
	"testing"
)

// The race detector makes sync.Pool forget at random, so this is run without it.
func TestADeliveryToAThousandStreamsAllocatesNothingForAnyOfThem(t *testing.T) {
	const streams = 1000
	h, m := newHub(), &Message{JSON: make([]byte, 256)}
	h.acks, h.bound = newWorker(newTestCore(), lease{}, intake{sink: h}), true
	readers := make([]*Stream, streams)
	for i := range readers {
		readers[i] = &Stream{backlog: backlog{limit: 1 << 20}}
		readers[i].Notify(func() {})
		h.attach(readers[i])
	}
	var events []Event
	if allocs := testing.AllocsPerRun(100, func() {
		h.deliver(m)
		for _, s := range readers {
			events = s.Take(events)
			s.Done()
		}
	}); allocs >= streams/100 { // the pool of waiting lists is emptied by a collection
		t.Errorf("%v allocations for a message to %d streams", allocs, streams)
	}
}

// With 50,000 patterns bound, a message that no stream wants costs no garbage, nor
// does one that a stream wants.
func TestRoutingAMessageAllocatesNothing(t *testing.T) {
	r, cc := benchRouter(50_000), []string{"route.index.project.foo"}
	if allocs := testing.AllocsPerRun(100, func() {
		r.match("exchange/task", "primary.task4711.0.worker.x", cc)
		r.match("exchange/task", "secondary.task4711.0.worker.x", cc)
	}); allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// That a host may end a stream by a context costs nothing per message; nor does a subject, or a
// stream that has neither.
func TestWhoseStreamItIsCostsNoAllocationPerMessage(t *testing.T) {
	session, end := context.WithCancel(context.Background())
	defer end()
	for name, ctx := range map[string]context.Context{"session": session, "none": context.Background()} {
		s := newStream(ctx, "", subject{"ada", "ada"}, nil)
		s.endWith(ctx)
		s.Notify(func() {})
		m, events := &Message{JSON: make([]byte, 256)}, make([]Event, 0, 8)
		if allocs := testing.AllocsPerRun(1000, func() {
			s.offer(m)
			s.offer(m)
			events = s.Take(events)
			if s.Ended() != nil {
				t.Fatal("ended")
			}
			s.Written(m)
			s.Done()
		}); allocs != 0 {
			t.Errorf("%s: %v allocations for two messages", name, allocs)
		}
	}
}
