package actors

import (
	"math/rand/v2"
	"sync"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// hub hands a feed's messages to every attached stream. Its worker delivers; the feed actor
// attaches and detaches.
//
// A stream that cannot take a message is cut, and costs the others nothing. Where more than half of
// the streams are over half full, the hub asks for backpressure, see lag.
type hub struct {
	mu      sync.Mutex
	bound   bool // every binding is in place
	streams []*Stream
	index   map[*Stream]int // of each stream in streams
	lagging int             // streams that were over half full at the last delivery
	ended   []*Stream       // streams that took nothing at this delivery, and will not
	acks    acknowledger
	lag     lag
}

func newHub() *hub { return &hub{index: map[*Stream]int{}} }

// attach adds a stream, and reports whether it is ready at once. Adding it again changes nothing.
func (h *hub) attach(s *Stream) (ready bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.index[s]; there {
		return h.bound
	}
	if h.bound {
		s.offer(Ready{}) // under the lock: no message comes before it
	}
	h.index[s] = len(h.streams)
	h.streams = append(h.streams, s)
	return h.bound
}

// detach removes a stream.
func (h *hub) detach(s *Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(s)
}

// remove puts the last stream into the place of s, which changes no order that could be seen: each
// stream has its own.
func (h *hub) remove(s *Stream) {
	i, there := h.index[s]
	if !there {
		return
	}
	last := len(h.streams) - 1
	h.streams[i] = h.streams[last]
	h.index[h.streams[i]] = i
	h.streams[last] = nil
	h.streams = h.streams[:last]
	delete(h.index, s)
}

// ready offers Ready to the streams that wait for it.
func (h *hub) ready(a acknowledger) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.acks, h.bound = a, true
	for _, s := range h.streams {
		s.offer(Ready{})
	}
}

// wants is true: the broker sends nothing else.
func (h *hub) wants(*amqp.Delivery) bool { return true }

// deliver offers the message to every stream, starting with a random one so that none is always the
// last, and acknowledges it: a stream that cannot take it is cut, and its reader told.
func (h *hub) deliver(m *Message) {
	h.mu.Lock()
	h.lagging = 0
	if n := len(h.streams); n > 0 {
		from := rand.IntN(n)
		h.offer(h.streams[from:], m)
		h.offer(h.streams[:from], m)
	}
	for _, s := range h.ended { // now: they no longer count as lagging
		h.remove(s)
	}
	clear(h.ended)
	h.ended = h.ended[:0]
	h.mu.Unlock()
	h.acks.acknowledge(m.tag)
}

func (h *hub) offer(streams []*Stream, m *Message) {
	for _, s := range streams {
		switch {
		case !s.offerShared(m):
			h.ended = append(h.ended, s)
		case s.halfFull():
			h.lagging++
		}
	}
}

// backpressure counts the lagging streams again only where too many lagged at the last delivery.
func (h *hub) backpressure() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if 2*h.lagging > len(h.streams) {
		h.lagging = 0
		for _, s := range h.streams {
			if s.halfFull() {
				h.lagging++
			}
		}
	}
	return h.lag.holdsBack(h.lagging, len(h.streams))
}
