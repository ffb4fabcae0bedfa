package actors

import (
	"strings"
	"testing"
)

// Notify is called when something comes to wait where nothing did, and once
// more at the end; not for each event.
func TestNotifyIsCalledForTheFirstEventToWaitAndForTheEnd(t *testing.T) {
	s, _ := fedStream()
	calls := 0
	s.Notify(func() { calls++ })
	for step, c := range []struct {
		do   func()
		want int
	}{
		{func() {}, 0},
		{func() { s.offer(Ping{}) }, 1},
		{func() { s.offer(Ready{}) }, 1},
		{func() { s.Take(nil) }, 1},
		{func() { s.offer(numbered(1)) }, 2},
		{func() { s.finish(planned) }, 3}, // though something waits: a blocked write must hear of it
		{func() { s.finish(planned); s.offer(Ping{}) }, 3},
	} {
		if c.do(); calls != c.want {
			t.Fatalf("after step %d: %d calls, want %d", step, calls, c.want)
		}
	}
}

func TestNotifyIsCalledAtOnceWhereSomethingWaits(t *testing.T) {
	for name, prepare := range map[string]func(*Stream){
		"an event": func(s *Stream) { s.offer(Ping{}) },
		"the end":  func(s *Stream) { s.finish(planned); s.Take(nil) },
	} {
		s, _ := fedStream()
		prepare(s)
		called := false
		if s.Notify(func() { called = true }); !called {
			t.Errorf("%s waits, but no reader is notified", name)
		}
	}
}

// The function may look at the stream: no lock of it is held.
func TestNotifyIsCalledWithoutTheStreamsLock(t *testing.T) {
	s, _ := fedStream()
	s.Notify(func() { s.Ended(); s.Take(nil) })
	s.offer(Ping{})
	s.finish(planned)
}

// owner is a stream's owner that is called with what it hears.
type owner func(event string)

func (o owner) readerClosed()       { o("closed") }
func (o owner) readerFailed(*Error) { o("failed") }

// What the connection actor hears, and how often.
func TestTheActorHearsOfTheReadersLeavingOnce(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(s *Stream, attach func())
		want string
	}{
		"closed twice":         {func(s *Stream, attach func()) { attach(); s.Close(); s.Close() }, "closed"},
		"closed before it was": {func(s *Stream, attach func()) { s.Close(); attach() }, "closed"},
		"failed":               {func(s *Stream, attach func()) { attach(); s.Fail(planned) }, "failed"},
		"failed and closed":    {func(s *Stream, attach func()) { attach(); s.Fail(planned); s.Close() }, "failed closed"},
		"left open":            {func(_ *Stream, attach func()) { attach() }, ""},
	} {
		s, _ := fedStream()
		var heard []string
		c.do(s, func() {
			s.ownedBy(owner(func(event string) { heard = append(heard, event) }))
		})
		if have := strings.Join(heard, " "); have != c.want {
			t.Errorf("%s: the actor hears %q, want %q", name, have, c.want)
		}
	}
}

// A reader whose function panics counts as gone; the actor that offered must not fail.
func TestAPanicInNotifyClosesTheStream(t *testing.T) {
	for name, call := range map[string]func(*Stream){
		"offer":  func(s *Stream) { s.offer(Ping{}) },
		"finish": func(s *Stream) { s.finish(planned) },
	} {
		s, _ := fedStream()
		gone := 0
		s.ownedBy(owner(func(string) { gone++ }))
		s.Notify(func() { panic("the reader's") })
		if call(s); gone != 1 {
			t.Errorf("%s: the actor heard %d times of the leaving", name, gone)
		}
	}
}
