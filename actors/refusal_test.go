package actors_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A refusal names the exchange in words of ours, and reaches no other stream.
func TestARefusedExchangeEndsOnlyItsOwnStream(t *testing.T) {
	for _, c := range []struct{ name, exchange, reason string }{
		{"unknown", "exchange/none", `The exchange "exchange/none" does not exist`},
		{"forbidden", "exchange/secret", `The exchange "exchange/secret" may not be read by this service`},
	} {
		for _, m := range modes {
			t.Run(c.name+", "+m.name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					broker := amqp.NewMemory(amqp.MemoryOptions{Readable: func(exchange string) bool { return exchange != "exchange/secret" }})
					f := openOn(t, broker, m.set)
					good := f.ready(task, "#")
					err := f.ends(f.connect(c.exchange, "#"), actors.BindingRefused)
					if err.Reason != c.reason {
						t.Fatalf("the client is told %q", err.Reason)
					}
					synctest.Wait()
					if n := len(broker.Queues()); n != 1 {
						t.Fatalf("%d queues, want the good stream's alone", n)
					}
					f.publish("a", 1)
					f.messages(good, 1)
				})
			})
		}
	}
}

// The second binding is refused after the first is in place: no message of the
// first slips out, and no ready.
func TestOneRefusedBindingRefusesTheStream(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s, err := f.Connect(context.Background(), actors.Request{Bindings: []amqp.Binding{
			{Exchange: task, Pattern: "#"}, {Exchange: "exchange/none", Pattern: "#"},
		}})
		if err != nil {
			f.t.Fatal(err)
		}
		defer s.Close()
		synctest.Wait()
		events := s.Take(nil)
		if len(events) != 2 || actors.CodeOf(events[1].(*actors.Error)) != actors.BindingRefused {
			f.t.Fatalf("have %v, want ping and BindingRefused", events)
		}
		f.clean()
	})
}

// Under Pulse a user may make queues of one prefix only. A wrong namespace is the operator's
// mistake: no exchange is named for it, and the client may come back.
func TestAQueueThatTheBrokerRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openOn(t, amqp.NewMemory(amqp.MemoryOptions{QueuePrefix: "queue/somebody/"}), nil)
		err := f.ends(f.connect(task, "#"), actors.BrokerUnavailable)
		if want := "The message broker does not let this service make queues at present"; err.Reason != want {
			t.Fatalf("the client is told %q", err.Reason)
		}
		f.clean()
	})
}

// What a client reads holds no broker text; the log has it as the cause.
func TestTheBrokersWordsGoToTheLogOnly(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		err := f.ends(f.connect("exchange/none", "#"), actors.BindingRefused)
		if err.Cause == nil || err.Error() == fmt.Sprintf("%s: %s", err.Code, err.Reason) {
			f.t.Fatalf("the cause is lost: %v", err)
		}
		if err.Code.Retryable() {
			f.t.Fatal("the same request would be refused again")
		}
	})
}
