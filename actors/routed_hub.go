package actors

import (
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// routedHub hands a routed feed's messages to the streams that want them. Its worker delivers; the
// feed actor attaches and detaches, and announces the exchanges that the queue is bound to.
//
// The streams of a message are looked up under the lock, and offered it without: one that attaches
// meanwhile was ready after the message had been published, and one that leaves takes nothing. As
// in a hub, a stream that cannot take a message is cut, and costs the others nothing.
type routedHub struct {
	count *counters

	mu       sync.Mutex
	router   *router
	expected map[string]bool // exchanges that the queue is bound to, or will be in a moment

	// Below: the worker's.
	acks   acknowledger
	wanted []*Stream         // by the delivery that is handed on now
	ended  []*Stream         // of them, those that took nothing, and will not
	wrong  func(name string) // is called for the first message of an exchange that is not expected; then nil
	lag    lag
	slow   bool      // a stream was over half full lately
	held   bool      // the last answer of backpressure
	recall time.Time // before that the answer stands
}

// newRoutedHub returns a hub without streams. wrong is called once, by the worker, where a message
// of an exchange comes that is not expected; it must not wait.
func newRoutedHub(count *counters, wrong func(exchange string)) *routedHub {
	return &routedHub{count: count, router: newRouter(), expected: map[string]bool{}, wrong: wrong}
}

// expect is called before the queue is bound to an exchange.
func (h *routedHub) expect(exchange string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.expected[exchange] = true
}

// forget is called where the queue could not be bound.
func (h *routedHub) forget(exchange string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.expected, exchange)
}

// exchanges returns those that the queue is bound to, sorted.
func (h *routedHub) exchanges() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.expected))
}

// attach offers Ready to a stream, and from then on what it wants. Every exchange of its bindings
// must be bound.
func (h *routedHub) attach(s *Stream, bindings []amqp.Binding) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s.offer(Ready{}) // under the lock: no message comes before it
	h.changing(func() { h.router.insert(s, bindings) })
}

// detach removes a stream.
func (h *routedHub) detach(s *Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changing(func() { h.router.remove(s) })
}

// clear removes every stream.
func (h *routedHub) clear() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changing(func() { h.router = newRouter() })
}

// on returns the streams that have a binding on an exchange.
func (h *routedHub) on(exchange string) []*Stream {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.router.on(exchange)
}

// changing keeps the gauges while the router changes. mu is held.
func (h *routedHub) changing(change func()) {
	streams, patterns := len(h.router.streams), h.router.patterns
	change()
	h.count.routed.Add(int64(len(h.router.streams) - streams))
	h.count.patterns.Add(int64(h.router.patterns - patterns))
}

// ready takes who is told about written messages. No stream hears of it: those that wait do so for
// their exchanges.
func (h *routedHub) ready(a acknowledger) { h.acks = a }

// wants looks for the streams of a delivery, and keeps them for deliver.
func (h *routedHub) wants(d *amqp.Delivery) bool {
	h.mu.Lock()
	expected := h.expected[d.Exchange]
	h.wanted = append(h.wanted[:0], h.router.match(d.Exchange, d.RoutingKey, d.CC)...)
	h.mu.Unlock()
	// What is published to the queue itself, by the exchange without a name, says nothing about others.
	if !expected && d.Exchange != "" && h.wrong != nil {
		h.wrong(d.Exchange)
		h.wrong = nil
	}
	return len(h.wanted) > 0
}

// deliver offers the message to the streams that wants has found, starting with a random one so
// that none is always the last, and acknowledges it.
func (h *routedHub) deliver(m *Message) {
	h.count.matches.Add(int64(len(h.wanted)))
	from := rand.IntN(len(h.wanted))
	h.offer(h.wanted[from:], m)
	h.offer(h.wanted[:from], m)
	clear(h.wanted) // it keeps no stream alive
	for _, s := range h.ended {
		h.detach(s)
	}
	clear(h.ended)
	h.ended = h.ended[:0]
	h.acks.acknowledge(m.tag)
}

func (h *routedHub) offer(streams []*Stream, m *Message) {
	for _, s := range streams {
		switch {
		case !s.offerShared(m):
			h.ended = append(h.ended, s)
		case !h.slow:
			h.slow = s.halfFull()
		}
	}
}

// backpressureShare is how many times longer than a count of slow streams its result stands.
const backpressureShare = 20

// backpressure compares the streams that are over half full with those that hold messages at all:
// most of the others wait for something rare, and say nothing about the machine.
func (h *routedHub) backpressure() bool {
	if !h.slow {
		return false
	}
	start := time.Now()
	if start.Before(h.recall) {
		return h.held
	}
	slow, busy := h.load()
	h.slow, h.held = slow > 0, h.lag.holdsBack(slow, busy)
	now := time.Now()
	h.recall = now.Add(backpressureShare * now.Sub(start))
	return h.held
}

// load returns how many streams are over half full, and how many hold messages.
func (h *routedHub) load() (slow, busy int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for s := range h.router.all() {
		some, halfFull := s.load()
		if some {
			busy++
		}
		if halfFull {
			slow++
		}
	}
	return slow, busy
}
