package actors_test

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

func TestMessagesComeInOrderAfterPingAndReady(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.connect(task, "primary.#")
		if e, ok := f.next(s).(actors.Ping); !ok {
			f.t.Fatalf("the first event is no ping but %#v", e)
		}
		if e, ok := f.next(s).(actors.Ready); !ok {
			f.t.Fatalf("the second event is no ready but %#v", e)
		}
		f.publish("primary.a", 300)
		f.messages(s, 300)
		s.Close()
	})
}

// Whatever is published from ready on is delivered once, in the broker's order,
// however the publisher and the reader get in each other's way.
func TestNothingIsLostWhilePublisherAndReaderRunAtOnce(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.Prefetch = 7 }, func(f *fixture) {
		const count = 5000
		s := f.ready(task, "#")
		var publishing sync.WaitGroup
		publishing.Go(func() { f.publish("a.b", count) })
		f.messages(s, count)
		publishing.Wait()
		if n := f.Stats().Messages; n != count {
			f.t.Fatalf("%d messages were counted, want %d", n, count)
		}
	})
}

// The same through the writer's door: many events a write.
func TestAWriterTakesEveryMessageOnceAndInOrder(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		const count = 3000
		s := f.connect(task, "#")
		more := make(chan struct{}, 1) // one is enough: it says "look again"
		s.Notify(func() {
			select {
			case more <- struct{}{}:
			default:
			}
		})
		var publishing sync.WaitGroup
		defer publishing.Wait()
		var events []actors.Event
		for n := 0; n < count; {
			<-more
			events = s.Take(events)
			for _, event := range events {
				switch e := event.(type) {
				case actors.Ready:
					publishing.Go(func() { f.publish("x", count) })
				case *actors.Message:
					if want := fmt.Sprintf(`{"n":%d}`, n); string(e.Body) != want {
						f.t.Fatalf("message %s, want %s", e.Body, want)
					}
					n++
				case *actors.Error:
					f.t.Fatal(e)
				}
			}
			s.Done()
		}
	})
}

func TestAMessageCarriesItsRoutingAndItsRoutes(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.ready(task, "primary.#")
		f.publishTo(bounded(f.t), task, "primary.x.y", amqp.Message{
			Body: []byte(`{ "status" : {} }`), CC: []string{"route.project.foo", "other", "route.index.bar"},
		})
		m := f.message(s)
		want := `{"payload":{"status":{}},"exchange":"exchange/tc/task","routingKey":"primary.x.y","redelivered":false,"routes":["project.foo","index.bar"]}`
		if string(m.JSON) != want {
			f.t.Fatalf("have %s\nwant %s", m.JSON, want)
		}
		if m.Exchange != task || m.RoutingKey != "primary.x.y" || m.Redelivered || !slices.Equal(m.Routes, []string{"project.foo", "index.bar"}) {
			f.t.Fatalf("the fields differ from the JSON: %+v", m)
		}
		if string(m.Body) != `{ "status" : {} }` {
			f.t.Fatalf("the body is %s", m.Body)
		}
	})
}

func TestAMessageThatMatchesTwoBindingsComesOnce(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s, err := f.Connect(context.Background(), actors.Request{Bindings: []amqp.Binding{
			{Exchange: task, Pattern: "a.#"}, {Exchange: task, Pattern: "#.b"},
		}})
		if err != nil {
			f.t.Fatal(err)
		}
		defer s.Close()
		f.awaitReady(s)
		f.publish("a.b", 2)
		f.messages(s, 2)
	})
}

// A body that is not JSON is delivered like any other, and acknowledged once.
func TestABodyThatIsNotJSONDoesNotEndTheStream(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.MessageBytes = 1000 }, func(f *fixture) {
		s := f.ready(task, "#")
		bodies := [][]byte{[]byte("<xml/>"), nil, {0xff, 0xfe}, make([]byte, 1001), []byte("{}")}
		for _, body := range bodies {
			f.publishTo(bounded(f.t), task, "x", amqp.Message{Body: body})
		}
		for _, body := range bodies {
			if m := f.message(s); len(m.Body) != len(body) && len(body) <= 1000 {
				f.t.Fatalf("have %q, want %q", m.Body, body)
			}
		}
		want := map[string]int64{"utf-8": 2, "base64": 1, "omitted": 1}
		if have := f.Stats().Payloads; fmt.Sprint(have) != fmt.Sprint(want) {
			f.t.Fatalf("counted %v, want %v", have, want)
		}
	})
}

func TestEventsRangesToTheErrorAndNoFurther(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		s := f.connect(task, "#")
		var seen []string
		for event, err := range s.Events(bounded(f.t)) {
			if err != nil {
				seen = append(seen, fmt.Sprintf("%T", err))
				continue
			}
			seen = append(seen, fmt.Sprintf("%T", event))
			if _, ok := event.(actors.Ready); ok {
				f.broker.DropLinks()
			}
		}
		if want := []string{"actors.Ping", "actors.Ready", "*actors.Error"}; !slices.Equal(seen, want) {
			f.t.Fatalf("have %v, want %v", seen, want)
		}
		if _, err := s.Next(bounded(f.t)); err != io.EOF {
			f.t.Fatalf("after the last event Next returned %v", err)
		}
	})
}

func TestLeavingARangeOverEventsClosesTheStream(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		s := f.connect(task, "#")
		for range s.Events(bounded(f.t)) {
			break
		}
		f.clean()
		if code := s.Ended().Code; code != actors.ClientGone {
			f.t.Fatal(code)
		}
	})
}

// A context bounds one wait; it ends nothing.
func TestTheEndOfNextsContextEndsOnlyTheWait(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		s := f.ready(task, "#")
		ctx, cancel := context.WithCancel(f.t.Context())
		cancel()
		if _, err := s.Next(ctx); err != context.Canceled {
			f.t.Fatal(err)
		}
		f.publish("x", 1)
		f.messages(s, 1)
	})
}
