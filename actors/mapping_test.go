package actors_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// mapped opens a stream with a Map.
func (f *fixture) mapped(change func(*actors.Message) *actors.Message) *actors.Stream {
	f.t.Helper()
	r := request(task, "#")
	r.Map = change
	s, err := f.Connect(context.Background(), r)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	synctest.Wait()
	return s
}

// received returns what waits for the reader: JSON of messages, names of others.
func received(s *actors.Stream) string {
	var list []string
	for _, event := range s.Take(nil) {
		switch e := event.(type) {
		case *actors.Message:
			list = append(list, string(e.JSON))
		case actors.Custom:
			list = append(list, e.Name+" "+string(e.Data))
		case actors.Ping:
			list = append(list, "ping")
		case actors.Ready:
			list = append(list, "ready")
		case *actors.Error:
			list = append(list, string(e.Code))
		}
	}
	return strings.Join(list, "\n")
}

const ofTask = `,"exchange":"exchange/tc/task","routingKey":"x","redelivered":false,"routes":[]}`

// A host shows each user only what is theirs: the others of the same bindings see all of it.
func TestAMapDropsAndChangesMessagesOfItsOwnStreamAlone(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		all := f.connect(task, "#")
		own := f.mapped(func(m *actors.Message) *actors.Message {
			if len(m.JSON) != 0 {
				t.Error("the message is encoded before its Map has run")
			}
			switch string(m.Body) {
			case `{"n":0}`:
				return nil
			case `{"n":1}`:
				return m
			}
			m.Body = []byte(`{ "n": "hidden" }`)
			return m
		})
		received(all)
		received(own)
		f.publish("x", 3)
		synctest.Wait()
		if have, want := received(own), `{"payload":{"n":1}`+ofTask+"\n"+`{"payload":{"n":"hidden"}`+ofTask; have != want {
			t.Errorf("the stream has received\n%s\nwant\n%s", have, want)
		}
		if have := received(all); strings.Count(have, "\n") != 2 || strings.Contains(have, "hidden") {
			t.Errorf("its neighbour has received\n%s", have)
		}
		if n := f.Stats().Filtered; n != 1 {
			t.Errorf("%d messages are counted as filtered", n)
		}
		own.Done()
		all.Done()
		pass(time.Second)
	})
}

// What a Map drops must not use up the window: the obvious filter would end as SlowConsumer.
func TestAStreamWhoseMapDropsAlmostAllGoesOn(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Prefetch = 4 }, func(f *fixture) {
		n := 0
		s := f.mapped(func(m *actors.Message) *actors.Message {
			if n++; n%100 == 0 {
				return m
			}
			return nil
		})
		go func() {
			for {
				if _, err := s.Next(context.Background()); err != nil {
					return
				}
			}
		}()
		f.publish("x", 1000)
		pass(2 * time.Minute)
		if err := s.Ended(); err != nil || n != 1000 {
			t.Fatalf("%d of 1000 messages came to the Map, the stream ended with %v", n, err)
		}
		if tags := f.record.acknowledged(1); len(tags) == 0 || tags[len(tags)-1] != 1000 {
			t.Fatalf("acknowledged %v, want up to 1000", tags)
		}
	})
}

// An acknowledgement stands for all before it: a dropped message waits for the one before it that
// is not written.
func TestADroppedMessageIsAcknowledgedInItsTurn(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		s := f.mapped(func(m *actors.Message) *actors.Message {
			if string(m.Body) == `{"n":0}` {
				return m
			}
			return nil
		})
		f.publish("x", 3)
		pass(time.Second)
		s.Take(nil)
		f.publishTo(context.Background(), task, "x", amqp.Message{Body: []byte(`{"n":9}`)})
		pass(time.Second)
		if tags := f.record.acknowledged(1); len(tags) != 0 {
			t.Fatalf("%v were acknowledged, but the first message is not written", tags)
		}
		s.Done()
		pass(time.Second)
		if tags := f.record.acknowledged(1); len(tags) == 0 || tags[len(tags)-1] != 4 {
			t.Fatalf("%v were acknowledged, want up to 4", tags)
		}
	})
}

// A writer takes the events of many streams into one slice, one stream after the other. What comes
// to stand there later says nothing of the stream before.
func TestASliceUsedForTheNextStreamHoldsNothingBack(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		s := f.mapped(func(*actors.Message) *actors.Message { return nil })
		events := s.Take(nil) // a ping and ready: there is nothing to be acknowledged
		for i := range events {
			events[i] = &actors.Message{}
		}
		f.publish("x", 1)
		pass(time.Second)
		if tags := f.record.acknowledged(1); len(tags) != 1 || tags[0] != 1 {
			f.t.Fatalf("%v were acknowledged, want 1", tags)
		}
	})
}

// A stream that has ended does not look any more at what its writer has taken.
func TestASliceMayBeUsedAgainOnceItsStreamHasEnded(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		n, taken := 0, []actors.Event(nil)
		var s *actors.Stream
		s = f.mapped(func(m *actors.Message) *actors.Message {
			if n++; n == 1 {
				return m
			}
			s.Fail(&actors.Error{Code: actors.InternalError, Reason: "the write has failed"})
			go func() { // the next writer; the race detector looks on
				for i := range taken {
					taken[i] = nil
				}
			}()
			return nil
		})
		s.Take(nil)
		f.publish("x", 1)
		synctest.Wait()
		taken = s.Take(nil)
		f.publish("x", 1)
		pass(time.Second)
		if n != 2 {
			f.t.Fatalf("%d messages came to the Map", n)
		}
	})
}

// A defect of the host's filter is one stream's.
func TestAMapThatPanicsEndsItsOwnStreamAlone(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		all := f.connect(task, "#")
		s := f.mapped(func(*actors.Message) *actors.Message { panic("a defect of the host") })
		received(all)
		received(s)
		f.publish("x", 1)
		synctest.Wait()
		if have := received(s); have != string(actors.InternalError) {
			t.Errorf("the stream has received %q", have)
		}
		if have := received(all); !strings.Contains(have, `{"n":0}`) || all.Ended() != nil {
			t.Errorf("its neighbour has received %q, ended %v", have, all.Ended())
		}
	})
}

// A Map may not smuggle in what the limit of bytes keeps out.
func TestWhatAMapReturnsIsLimitedLikeAMessage(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.MessageBytes = 16 }, func(f *fixture) {
		s := f.mapped(func(m *actors.Message) *actors.Message {
			if m.Body == nil {
				return &actors.Message{Exchange: m.Exchange, RoutingKey: m.RoutingKey, Body: []byte("1")}
			}
			return &actors.Message{Exchange: m.Exchange, RoutingKey: m.RoutingKey, Body: []byte(`"a body that is too long"`)}
		})
		received(s)
		f.publish("x", 1)
		f.publishTo(context.Background(), task, "x", amqp.Message{Body: []byte(`"longer than sixteen bytes"`)})
		synctest.Wait()
		want := `{"payload":null,"payloadEncoding":"omitted","payloadBytes":25` + ofTask + "\n" + `{"payload":1` + ofTask
		if have := received(s); have != want {
			t.Errorf("the stream has received\n%s\nwant\n%s", have, want)
		}
	})
}

// The host's own events come in their place, and none before the first ping.
func TestAProgramsOwnEventsAreInOrder(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.connect(task, "#")
		if err := s.Send(actors.Custom{Name: "early", Data: []byte("1")}); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if have := received(s); have != "ping\nearly 1\nready" && have != "ping\nready\nearly 1" {
			t.Errorf("received %q", have)
		}
		f.publish("x", 1)
		synctest.Wait()
		if n, err := f.Send(actors.ByID(s.ID()), actors.Custom{Name: "note", Data: []byte(" {\n\"a\": 1 } ")}); n != 1 || err != nil {
			t.Errorf("sent to %d streams, %v", n, err)
		}
		if have, want := received(s), `{"payload":{"n":0}`+ofTask+"\n"+`note {"a":1}`; have != want {
			t.Errorf("received %q", have)
		}
		s.Close()
		if err := s.Send(actors.Custom{Name: "late", Data: []byte("1")}); !errors.Is(err, actors.ErrStreamEnded) {
			t.Errorf("after the end: %v", err)
		}
	})
}

// A program's events count in the limit of bytes, and no slow reader makes them pile up.
func TestAProgramsEventsAreBounded(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.BacklogBytes = 1000 }, func(f *fixture) {
		s := f.connect(task, "#")
		synctest.Wait()
		sent, err := 0, error(nil)
		for err == nil && sent < 1000 {
			if err = s.Send(actors.Custom{Name: "note", Data: []byte(`"0123456789"`)}); err == nil {
				sent++
			}
		}
		if !errors.Is(err, actors.ErrStreamFull) || sent != 1000/16 {
			t.Fatalf("%d were sent, then %v", sent, err)
		}
		if s.Ended() != nil {
			t.Fatalf("the stream ended with %v", s.Ended())
		}
		s.Take(nil)
		s.Done()
		if err := s.Send(actors.Custom{Name: "note", Data: []byte("1")}); err != nil {
			t.Fatalf("after the reader has caught up: %v", err)
		}
	})
}

// What a browser would not hear, or would take for something else, is refused.
func TestNamesAndDataOfAProgramsEventsAreChecked(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.MessageBytes = 10 }, func(f *fixture) {
		s := f.connect(task, "#")
		for _, c := range []actors.Custom{
			{"", []byte("1")}, {"message", []byte("1")}, {"error", []byte("1")}, {"open", []byte("1")}, {"a b", []byte("1")}, {"a\nb", []byte("1")},
			{strings.Repeat("a", 65), []byte("1")}, {"a", nil}, {"a", []byte("{")}, {"a", []byte("\"\xff\"")}, {"a", []byte(`"0123456789"`)},
		} {
			if err := s.Send(c); err == nil {
				t.Errorf("%q %q is sent", c.Name, c.Data)
			}
			if n, err := f.Send(actors.ByID(s.ID()), c); err == nil || n != 0 {
				t.Errorf("%q %q is sent to %d", c.Name, c.Data, n)
			}
		}
	})
}

// A dashboard that sends its own events to a stream on which no message comes: what was written is
// not counted as held for ever.
func TestAProgramsOwnEventsUseUpNoLimit(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.BacklogBytes = 1000 }, func(f *fixture) {
		s := f.connect(task, "#")
		synctest.Wait()
		received(s)
		note := actors.Custom{Name: "note", Data: []byte(`"` + strings.Repeat("x", 500) + `"`)}
		for n := range 100 {
			if err := s.Send(note); err != nil {
				f.t.Fatalf("after %d events: %v", n, err)
			}
			if have := received(s); !strings.Contains(have, "note") {
				f.t.Fatalf("received %q", have)
			}
		}
		if held := f.Snapshot().Streams[0].WaitingBytes; held != 0 {
			f.t.Errorf("%d bytes are counted as held", held)
		}
	})
}
