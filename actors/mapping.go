package actors

import "sync/atomic"

// mapping is a stream's Request.Map, and what it needs.
type mapping struct {
	change  func(*Message) *Message
	dropped *atomic.Int64 // counts what change has dropped
}

// apply returns what the stream receives in place of m, a copy of its own that is not encoded; nil:
// nothing.
func (p *mapping) apply(m *Message) *Message {
	tag, received := m.tag, m.received
	out := p.change(m)
	if out == nil {
		p.dropped.Add(1)
		return nil
	}
	own := *out // the program may keep what it has returned
	own.tag, own.received, own.JSON, own.apart = tag, received, nil, 0
	return &own
}

// mapper changes the messages of a worker's only reader before they are encoded. A nil mapper is
// the rule.
type mapper interface {
	// mapped returns what the reader receives in place of m; nil: nothing.
	mapped(m *Message) *Message
	// skip takes note of a delivery of which the reader receives nothing.
	skip(tag uint64)
}

// mapped returns what the stream's Map makes of m. A Map that panics ends the stream, and no other.
func (s *Stream) mapped(m *Message) (out *Message) {
	defer func() {
		if p := recover(); p != nil {
			out = nil
			s.Fail(failureOf(p))
		}
	}()
	return s.mapping.apply(m)
}

// offerShared offers a message that other streams receive too, and reports whether it was taken; a
// stream that has no room for it is cut. What Map drops counts as taken.
func (s *Stream) offerShared(m *Message) (taken bool) {
	if s.mapping != nil {
		own := s.mapped(m.unencoded())
		switch {
		case own == nil:
			return s.Ended() == nil
		case !own.equal(m):
			own.encode(s.policy.Load().Limits.MessageBytes)
			m = own
		}
	}
	taken, full := s.offer(m)
	if full {
		s.Fail(errTooManyWaiting)
	}
	return taken
}

// skip has a delivery that Map has dropped acknowledged: with the message before it that is not
// written yet, or at once where there is none. A stream that has ended acknowledges no more, and the
// slice that its reader had taken may be in use for another one.
func (s *Stream) skip(tag uint64) {
	s.mu.Lock()
	if s.verdict != nil {
		s.mu.Unlock()
		return
	}
	acks := s.acks
	if s.waiting != nil {
		if last := lastMessage(*s.waiting); last != nil {
			last.tag, acks = tag, nil // it is the stream's own, and not taken
		}
	}
	if acks != nil && lastMessage(s.taken) != nil {
		s.takenTag, acks = tag, nil
	}
	s.mu.Unlock()
	if acks != nil {
		acks.acknowledge(tag)
	}
}

// lastMessage returns the last message among events; nil: there is none.
func lastMessage(events []Event) *Message {
	for i := len(events) - 1; i >= 0; i-- {
		if m, ok := events[i].(*Message); ok {
			return m
		}
	}
	return nil
}

// unencoded returns a copy of the message for a Map.
func (m *Message) unencoded() *Message {
	own := *m
	own.JSON, own.apart = nil, 0
	return &own
}

// equal reports whether the message has the same content as other, so that the JSON of that is its
// own. Slices are compared by where they are: a Map must not change what they hold.
func (m *Message) equal(other *Message) bool {
	return m.Exchange == other.Exchange && m.RoutingKey == other.RoutingKey && m.Redelivered == other.Redelivered &&
		m.omitted == other.omitted && same(m.Routes, other.Routes) && same(m.Body, other.Body)
}

func same[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}
