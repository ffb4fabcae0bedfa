package actors_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a System on a broker in memory, both gone when the test ends.
type fixture struct {
	*actors.System
	broker *amqp.Memory
	pub    amqp.Publisher
	t      *testing.T
}

func open(t *testing.T, change func(*actors.Options)) *fixture {
	t.Helper()
	broker := amqp.NewMemory()
	o := actors.Options{Dialer: broker, Namespace: "tester", Chaos: true}
	if change != nil {
		change(&o)
	}
	system, err := actors.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	pub, err := broker.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{System: system, broker: broker, pub: pub, t: t}
	t.Cleanup(func() {
		pub.Close()
		if err := system.Close(); err != nil {
			t.Error(err)
		}
		f.clean()
		broker.Close()
	})
	f.declare("exchange/tc/task")
	return f
}

// bounded gives a context that ends a wait which should have ended long ago.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (f *fixture) declare(exchange string) {
	f.t.Helper()
	if err := f.pub.Declare(bounded(f.t), exchange, "topic"); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) publish(key string, count int) {
	f.t.Helper()
	for i := range count {
		m := amqp.Message{Body: fmt.Appendf(nil, `{"n":%d}`, i)}
		if err := f.pub.Publish(bounded(f.t), "exchange/tc/task", key, m); err != nil {
			f.t.Fatal(err)
		}
	}
}

func (f *fixture) connect(exchange, pattern string) *actors.Stream {
	f.t.Helper()
	s, err := f.Connect(bounded(f.t), actors.Request{Bindings: []amqp.Binding{{Exchange: exchange, Pattern: pattern}}})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	return s
}

// ready reads until the stream is ready.
func (f *fixture) ready(exchange, pattern string) *actors.Stream {
	f.t.Helper()
	s := f.connect(exchange, pattern)
	for {
		switch e := f.next(s).(type) {
		case actors.Ready:
			return s
		case *actors.Error:
			f.t.Fatal(e)
		}
	}
}

func (f *fixture) next(s *actors.Stream) actors.Event {
	f.t.Helper()
	e, err := s.Next(bounded(f.t))
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

// end reads until the stream's last event.
func (f *fixture) end(s *actors.Stream) *actors.Error {
	f.t.Helper()
	for {
		if e, ok := f.next(s).(*actors.Error); ok {
			return e
		}
	}
}

// clean waits until nothing of ours is left on the broker or in the tree.
func (f *fixture) clean() {
	f.t.Helper()
	f.until("the broker is clean", func() bool {
		return len(f.broker.Queues()) == 0 && f.broker.Consumers() == 0 && f.Stats().Streams == 0 && f.Stats().Workers == 0
	})
}

func (f *fixture) until(what string, is func() bool) {
	f.t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for !is() {
		if time.Now().After(deadline) {
			f.t.Fatalf("not in time: %s; queues %v, stats %+v", what, f.broker.Queues(), f.Stats())
		}
		time.Sleep(time.Millisecond)
	}
}

func TestMessagesComeInOrderAfterPingAndReady(t *testing.T) {
	f := open(t, nil)
	s := f.connect("exchange/tc/task", "primary.#")
	if _, ok := f.next(s).(actors.Ping); !ok {
		t.Fatal("the first event is no ping")
	}
	if e, ok := f.next(s).(actors.Ready); !ok {
		t.Fatalf("the second event is no ready but %#v", e)
	}
	f.publish("primary.a", 300)
	for i := range 300 {
		e := f.next(s)
		m, ok := e.(*actors.Message)
		if !ok || string(m.Body) != fmt.Sprintf(`{"n":%d}`, i) {
			t.Fatalf("event %d is %v", i, e)
		}
	}
	s.Close()
	f.clean()
}

func TestAnUnknownExchangeEndsOnlyItsOwnStream(t *testing.T) {
	f := open(t, nil)
	good := f.ready("exchange/tc/task", "#")
	err := f.end(f.connect("exchange/none", "#"))
	if err.Code != actors.BindingRefused || err.Reason != `The exchange "exchange/none" does not exist` {
		t.Fatal(err)
	}
	f.publish("a", 1)
	if _, ok := f.next(good).(*actors.Message); !ok {
		t.Fatal("the other stream lost its message")
	}
	if n := len(f.broker.Queues()); n != 1 {
		t.Fatalf("%d queues, want the good stream's alone", n)
	}
}

func TestAPanicEndsOneStreamWithInternalError(t *testing.T) {
	for _, role := range []actors.Role{actors.RoleConnection, actors.RoleConsumer, actors.RoleWorker} {
		t.Run(string(role), func(t *testing.T) {
			f := open(t, nil)
			good, bad := f.ready("exchange/tc/task", "#"), f.ready("exchange/tc/task", "#")
			if err := f.Crash(role, bad.ID()); err != nil {
				t.Fatal(err)
			}
			if err := f.end(bad); err.Code != actors.InternalError {
				t.Fatal(err)
			}
			f.publish("a", 1)
			if _, ok := f.next(good).(*actors.Message); !ok {
				t.Fatal("the other stream lost its message")
			}
			f.until("one stream is left", func() bool { return f.Stats().Streams == 1 && len(f.broker.Queues()) == 1 })
		})
	}
}
