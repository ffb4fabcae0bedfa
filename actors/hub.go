package actors

import (
	"math/rand/v2"
	"sync"
	"time"
)

// hub hands a feed's messages to every attached stream. Its worker delivers;
// the feed actor attaches and detaches.
//
// A stream that cannot take a message is cut, and costs the others nothing.
// Where more than half of the streams are behind, it is not them who are slow
// but the machine: then the hub is crowded, and the broker keeps the messages.
// It is so only as long as their number falls: readers that have stopped would
// starve the others.
type hub struct {
	mu      sync.Mutex
	open    bool // every binding is in place
	streams []*Stream
	places  map[*Stream]int
	lagging int       // streams that were behind at the last delivery
	ended   []*Stream // streams that took nothing at this delivery, and will not
	worker  *worker

	least    int       // of lagging, since the crowd came; 0: there is none
	progress time.Time // when that became less
}

// crowdPatience is how long a crowd may stay as it is.
const crowdPatience = time.Second

func newHub() *hub { return &hub{places: map[*Stream]int{}} }

// attach adds a stream, and tells whether it is ready at once.
func (h *hub) attach(s *Stream) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, there := h.places[s]; there {
		return h.open
	}
	if h.open {
		s.offer(Ready{}) // under the lock: no message comes before it
	}
	h.places[s] = len(h.streams)
	h.streams = append(h.streams, s)
	return h.open
}

// detach removes a stream. The last takes its place, which changes no order
// that anybody could see: each stream has its own.
func (h *hub) detach(s *Stream) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.remove(s)
}

func (h *hub) remove(s *Stream) {
	i, there := h.places[s]
	if !there {
		return
	}
	last := len(h.streams) - 1
	h.streams[i] = h.streams[last]
	h.places[h.streams[i]] = i
	h.streams[last] = nil
	h.streams = h.streams[:last]
	delete(h.places, s)
}

// ready tells all who wait for it.
func (h *hub) ready(w *worker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.worker, h.open = w, true
	for _, s := range h.streams {
		s.offer(Ready{})
	}
}

// deliver offers the message to every stream, from a random one on, so that
// nobody is always the last. It is acknowledged then: what cannot be taken is
// told in the stream that is cut for it.
func (h *hub) deliver(m *Message) {
	h.mu.Lock()
	h.lagging = 0
	if n := len(h.streams); n > 0 {
		from := rand.IntN(n)
		h.offer(h.streams[from:], m)
		h.offer(h.streams[:from], m)
	}
	for _, s := range h.ended { // now: they no longer count as behind
		h.remove(s)
	}
	clear(h.ended)
	h.ended = h.ended[:0]
	h.mu.Unlock()
	h.worker.acknowledge(m.tag)
}

func (h *hub) offer(streams []*Stream, m *Message) {
	for _, s := range streams {
		taken, full := s.offer(m)
		if full {
			s.Fail(&Error{Code: SlowConsumer, Reason: "The client reads more slowly than messages come: too many wait for it"})
		}
		switch {
		case !taken:
			h.ended = append(h.ended, s)
		case s.behind():
			h.lagging++
		}
	}
}

// crowded looks again at the streams only where they were behind before.
func (h *hub) crowded() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if 2*h.lagging > len(h.streams) {
		h.lagging = 0
		for _, s := range h.streams {
			if s.behind() {
				h.lagging++
			}
		}
	}
	if 2*h.lagging <= len(h.streams) {
		h.least = 0
		return false
	}
	if h.least == 0 || h.lagging < h.least {
		h.least, h.progress = h.lagging, time.Now()
	}
	return time.Since(h.progress) < crowdPatience
}
