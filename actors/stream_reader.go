package actors

import (
	"context"
	"errors"
	"io"
	"iter"
)

// The reader's side of a Stream: a writer of bytes takes many events at once, a program takes one
// after the other.

// Take appends all that waits to events[:0] and returns that, without waiting. An *Error is always
// the last event of a stream, and is returned once. The slice is the caller's, who must not change
// it while a message in it is not written (see Written and Done) and the stream has not ended.
func (s *Stream) Take(events []Event) []Event {
	events = events[:0]
	s.lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		return events
	}
	events = append(events, *s.waiting...)
	s.backlog.take()
	s.recycle()
	if s.taken = events; !s.forgetWithoutMessage() {
		s.takenTag = lastMessage(events).tag
	}
	return events
}

// Done reports that everything taken so far was written, so that the broker may forget it.
func (s *Stream) Done() {
	s.mu.Lock()
	s.backlog.writtenAll()
	s.taken = nil
	acks, tag := s.acks, s.takenTag
	s.mu.Unlock()
	if acks != nil && tag > 0 {
		acks.acknowledge(tag)
	}
}

// Written reports that m was written, and everything that Take has returned before it, so that the
// broker may forget those while what Take returned after m is still being written. m must be among
// what Take returned last.
func (s *Stream) Written(m *Message) {
	s.mu.Lock()
	s.forgetUpTo(m)
	acks, tag := s.acks, m.tag
	if s.forgetWithoutMessage() {
		tag = max(tag, s.takenTag) // what came after m was dropped
	}
	s.mu.Unlock()
	if acks != nil && tag > 0 {
		acks.acknowledge(tag)
	}
}

// forgetUpTo takes m, and what was taken before it, out of the account. mu is held.
func (s *Stream) forgetUpTo(m *Message) {
	for i, event := range s.taken {
		s.backlog.written(sizeOf(event))
		if event == Event(m) {
			s.taken = s.taken[i+1:]
			return
		}
	}
	s.taken = nil
}

// forgetWithoutMessage takes what was taken out of the account where no message is left in it, and
// reports whether that is so: no call reports that the rest is written, and the slice may be used
// for another stream. mu is held.
func (s *Stream) forgetWithoutMessage() bool {
	if lastMessage(s.taken) != nil {
		return false
	}
	for _, event := range s.taken {
		s.backlog.written(sizeOf(event))
	}
	s.taken = nil
	return true
}

// Moving reports that the client takes bytes of what is being written: a reader that calls it every
// few seconds is not taken for one that has stopped reading, however long one message takes it.
func (s *Stream) Moving() {
	if acks := s.acknowledger(); acks != nil {
		acks.moving()
	}
}

func (s *Stream) acknowledger() acknowledger {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.acks
}

// Next waits for the next event and returns it. Asking for an event reports that the one before was
// dealt with. After the *Error, which is the last event, and after Close it returns [io.EOF]. Where
// ctx ends first it returns the error of ctx, and the stream goes on.
func (s *Stream) Next(ctx context.Context) (Event, error) {
	if s.wake == nil {
		s.listen()
	}
	s.acknowledgeLast()
	for {
		if s.withhold(); len(s.pulled) > 0 {
			break
		}
		if s.pulled = s.Take(nil); len(s.pulled) > 0 {
			continue // it may be withheld
		}
		if s.over() {
			return nil, io.EOF
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	event := s.pulled[0]
	s.pulled = s.pulled[1:]
	if m, ok := event.(*Message); ok {
		s.last = m
	}
	return event, nil
}

// listen prepares Next's waiting.
func (s *Stream) listen() {
	wake := make(chan struct{}, 1) // one is enough: it says "look again"
	s.mu.Lock()
	s.wake = wake
	s.mu.Unlock()
	s.Notify(func() { signal(wake) })
}

// signal makes the goroutine that waits for wake look again. A nil channel is ignored.
func signal(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// withhold takes from what was pulled and not returned yet what is not to be read any more: all of
// it once the stream is closed, all but the last event where the access was revoked.
func (s *Stream) withhold() {
	s.lock()
	closed, revoked := s.closed, s.verdict != nil && s.verdict.Code == AccessRevoked
	s.mu.Unlock()
	switch {
	case closed:
		s.pulled = nil
	case revoked && len(s.pulled) > 0:
		last := s.pulled[len(s.pulled)-1:]
		if s.pulled = nil; isLast(last[0]) {
			s.pulled = last
		}
	}
}

func isLast(e Event) bool { _, ok := e.(*Error); return ok }

// Events returns the stream's events for a range loop. The last pair has no event and the reason of
// the end: the stream's *Error, or the error of ctx. A stream that was closed meanwhile ends the loop
// without one. The stream is closed when the loop is left, however it is left.
func (s *Stream) Events(ctx context.Context) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		defer s.Close()
		for {
			event, err := s.Next(ctx)
			last, ended := event.(*Error)
			switch {
			case errors.Is(err, io.EOF):
				return
			case err != nil:
				yield(nil, err)
				return
			case ended:
				yield(nil, last)
				return
			case !yield(event, nil):
				return
			}
		}
	}
}

func (s *Stream) acknowledgeLast() {
	if s.last != nil {
		s.Written(s.last)
		s.last = nil
	}
}

// over reports whether no event will come any more.
func (s *Stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting == nil && (s.verdict != nil || s.closed)
}
