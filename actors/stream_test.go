package actors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// acknowledgements notes what a stream acknowledges.
type acknowledgements struct {
	mu   sync.Mutex
	tags []uint64
}

func (a *acknowledgements) acknowledge(tag uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tags = append(a.tags, tag)
}

func (a *acknowledgements) moving() {}

func (a *acknowledgements) list() []uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.tags)
}

func fedStream() (*Stream, *acknowledgements) {
	s, a := &Stream{}, &acknowledgements{}
	s.acknowledgeTo(a)
	return s, a
}

func numbered(tag uint64) *Message { return &Message{tag: tag, JSON: []byte("12345678")} }

var planned = &Error{Code: BrokerLost, Reason: "planned"}

// names shows events: p, r, a message's tag, an error's code.
func names(events []Event) string {
	var out []string
	for _, event := range events {
		switch e := event.(type) {
		case Ping:
			out = append(out, "ping")
		case Ready:
			out = append(out, "ready")
		case *Message:
			out = append(out, fmt.Sprint(e.tag))
		case *Error:
			out = append(out, string(e.Code))
		}
	}
	return strings.Join(out, " ")
}

func wantEvents(t *testing.T, events []Event, want string) {
	t.Helper()
	if have := names(events); have != want {
		t.Fatalf("have %q, want %q", have, want)
	}
}

func TestTakeGivesAllThatWaitsOnceAndInOrder(t *testing.T) {
	s, _ := fedStream()
	wantEvents(t, s.Take(nil), "")
	s.offer(Ping{})
	s.offer(Ready{})
	s.offer(numbered(1))
	wantEvents(t, s.Take(nil), "ping ready 1")
	wantEvents(t, s.Take(nil), "")
	s.offer(numbered(2))
	s.finish(planned)
	wantEvents(t, s.Take(nil), "2 BrokerLost")
	wantEvents(t, s.Take(nil), "")
}

// A writer uses one buffer for ever; the stream must not write to it later, nor
// keep what it has given out from being collected.
func TestTakeReusesTheCallersMemoryAndKeepsNone(t *testing.T) {
	s, _ := fedStream()
	buffer := make([]Event, 3, 10)
	s.offer(numbered(1))
	events := s.Take(buffer)
	if &events[0] != &buffer[0] {
		t.Fatal("the caller's buffer is not used")
	}
	for tag := uint64(2); tag < 100; tag++ {
		s.offer(numbered(tag))
	}
	wantEvents(t, events, "1")
	if s.Take(nil); s.waiting != nil {
		t.Fatal("an idle stream holds a buffer")
	}
}

func TestDoneAcknowledgesTheLastMessageTaken(t *testing.T) {
	s, a := fedStream()
	s.Done() // nothing taken yet
	s.offer(numbered(1))
	s.Done() // not taken yet
	s.offer(numbered(2))
	s.offer(Ping{})
	s.Take(nil)
	s.offer(numbered(3))
	s.Done()
	if tags := a.list(); !slices.Equal(tags, []uint64{2}) {
		t.Fatalf("acknowledged %v", tags)
	}
}

// A stream of a shared queue has no acknowledger.
func TestDoneWithoutASourceDoesNothing(t *testing.T) {
	s := &Stream{}
	s.offer(&Message{})
	s.Take(nil)
	s.Done()
	s.offer(&Message{})
	if _, err := s.Next(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestNextGivesOneEventAtATimeAndThenEOF(t *testing.T) {
	s, a := fedStream()
	for _, e := range []Event{Ping{}, Ready{}, numbered(1), numbered(2)} {
		s.offer(e)
	}
	s.finish(planned)
	var events []Event
	for {
		event, err := s.Next(t.Context())
		if err == io.EOF {
			break
		}
		events = append(events, event)
	}
	wantEvents(t, events, "ping ready 1 2 BrokerLost")
	if tags := a.list(); !slices.Equal(tags, []uint64{1, 2}) {
		t.Fatalf("acknowledged %v", tags)
	}
	if _, err := s.Next(t.Context()); err != io.EOF {
		t.Fatal(err)
	}
}

func TestNextWaitsForAnEventOrForItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := fedStream()
		ctx, cancel := context.WithCancel(t.Context())
		var reading sync.WaitGroup
		reading.Go(func() {
			if event, err := s.Next(ctx); names([]Event{event}) != "ping" || err != nil {
				t.Errorf("%v, %v", event, err)
			}
			if _, err := s.Next(ctx); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		s.offer(Ping{})
		synctest.Wait()
		cancel()
		reading.Wait()
	})
}

// The first verdict stands, whichever side it comes from.
func TestTheFirstVerdictStands(t *testing.T) {
	other := &Error{Code: InternalError}
	for name, c := range map[string]struct {
		do   func(*Stream)
		code Code
		last string
	}{
		"finished twice":       {func(s *Stream) { s.finish(planned); s.finish(other) }, BrokerLost, "BrokerLost"},
		"failed by its reader": {func(s *Stream) { s.Fail(planned); s.finish(other) }, BrokerLost, "BrokerLost"},
		"failed after its end": {func(s *Stream) { s.finish(planned); s.Fail(other) }, BrokerLost, "BrokerLost"},
		"closed":               {func(s *Stream) { s.Close(); s.finish(other); s.Fail(other) }, ClientGone, ""},
		"closed after its end": {func(s *Stream) { s.finish(planned); s.Close() }, BrokerLost, ""},
	} {
		s, _ := fedStream()
		if c.do(s); s.Ended().Code != c.code {
			t.Errorf("%s: ended with %v", name, s.Ended())
		}
		wantEvents(t, s.Take(nil), c.last)
	}
}

func TestNothingIsTakenInAfterTheEnd(t *testing.T) {
	for name, end := range map[string]func(*Stream){
		"finished": func(s *Stream) { s.finish(planned) },
		"closed":   func(s *Stream) { s.Close() },
	} {
		s, _ := fedStream()
		if end(s); func() bool { taken, _ := s.offer(Ping{}); return taken }() {
			t.Errorf("%s: an event was taken in", name)
		}
		s.Take(nil)
		if !s.idle() {
			t.Errorf("%s: not idle", name)
		}
	}
}

// The limit of bytes holds for messages that wait and for those that the reader has taken and not
// written: both are memory that a slow client costs.
func TestAStreamTakesNoMoreBytesThanItsLimit(t *testing.T) {
	s := &Stream{backlog: backlog{limit: 40}}
	offer := func() (taken bool) {
		taken, full := s.offer(&Message{JSON: []byte("12345678")})
		if full == taken {
			t.Fatalf("taken %t, full %t", taken, full)
		}
		return taken
	}
	for i := range 5 {
		if !offer() {
			t.Fatalf("message %d of 5, which fit, was not taken", i+1)
		}
		if i == 2 {
			s.Take(nil)
		}
	}
	if offer() {
		t.Fatal("48 of 40 bytes were taken")
	}
	if taken, _ := s.offer(Ping{}); !taken || !s.halfFull() {
		t.Fatalf("a ping was taken: %t; half full: %t", taken, s.halfFull())
	}
	s.Done() // what was taken first is written
	if s.halfFull() || !offer() {
		t.Fatal("16 of 40 bytes are held, and there is no room")
	}
	s.Take(nil)
	s.Done()
	if s.state(time.Now()).WaitingBytes != 0 {
		t.Fatal("bytes are held though everything is written")
	}
}

// A message over the limit must pass, and the next one while it is written; three are the bound.
func TestThreeMessagesOverTheLimitAreHeldAndNoMore(t *testing.T) {
	s := &Stream{backlog: backlog{limit: 40}}
	large := &Message{JSON: make([]byte, 1000)}
	for i, want := range []bool{true, true, true, false} {
		if taken, full := s.offer(large); taken != want || full == want {
			t.Fatalf("message %d: taken %t, full %t", i+1, taken, full)
		}
	}
	s.Take(nil)
	if taken, _ := s.offer(&Message{JSON: []byte("1")}); taken {
		t.Fatal("a fourth was taken while three are being written")
	}
	s.Written(large)
	if taken, _ := s.offer(large); !taken {
		t.Fatal("one is written, and another is not taken")
	}
}

func TestALongListIsNotKeptForOtherStreams(t *testing.T) {
	s, _ := fedStream()
	for tag := uint64(1); tag <= 2*maxIdleList; tag++ {
		s.offer(numbered(tag))
	}
	s.Take(nil)
	for range 100 {
		if list := buffers.Get().(*[]Event); cap(*list) > maxIdleList {
			t.Fatalf("a list of %d is kept", cap(*list))
		}
	}
}

// A writer reports message by message: what it has written is forgotten while the rest is held.
func TestWhatIsWrittenIsForgottenMessageByMessage(t *testing.T) {
	s := &Stream{backlog: backlog{limit: 100}}
	var messages []*Message
	for range 4 {
		m := &Message{JSON: make([]byte, 10)}
		messages = append(messages, m)
		s.offer(m)
	}
	s.Take(nil)
	for _, step := range []struct{ written, held int }{{1, 20}, {2, 10}, {3, 0}} {
		s.Written(messages[step.written])
		if held := s.state(time.Now()).WaitingBytes; held != step.held {
			t.Errorf("%d bytes are held after message %d of 3, not %d", held, step.written, step.held)
		}
	}
}
