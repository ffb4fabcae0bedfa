package actors_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// three bindings, each to an exchange of its own.
func (f *fixture) threeBindings() actors.Request {
	var r actors.Request
	for _, exchange := range []string{"exchange/a", "exchange/b", "exchange/c"} {
		f.declare(exchange)
		r.Bindings = append(r.Bindings, amqp.Binding{Exchange: exchange, Pattern: "#"})
	}
	return r
}

// taken returns what waits for a writer now.
func taken(s *actors.Stream) []actors.Event { return s.Take(nil) }

func isReady(e actors.Event) bool { _, ok := e.(actors.Ready); return ok }

// Until the last binding is confirmed a client that trusts ready would miss
// messages, so there must be none before.
func TestReadyComesAfterTheConsumerAndEveryBinding(t *testing.T) {
	for _, step := range []struct {
		name string
		held func(c call) bool
	}{
		{"the declare", func(c call) bool { return c.op == "declare" }},
		{"the consumer", func(c call) bool { return c.op == "consume" }},
		{"the first binding", func(c call) bool { return c.op == "bind" && c.subject == "exchange/a" }},
		{"the last binding", func(c call) bool { return c.op == "bind" && c.subject == "exchange/c" }},
	} {
		t.Run(step.name, func(t *testing.T) {
			eachMode(t, nil, func(f *fixture) {
				goOn := make(chan struct{})
				f.record.before(func(c call) error {
					if step.held(c) {
						<-goOn
					}
					return nil
				})
				s, err := f.Connect(context.Background(), f.threeBindings())
				if err != nil {
					f.t.Fatal(err)
				}
				defer s.Close()
				synctest.Wait() // nothing more happens before the broker's answer
				if slices.ContainsFunc(taken(s), isReady) {
					f.t.Fatalf("ready before %s was confirmed", step.name)
				}
				close(goOn)
				synctest.Wait()
				if !slices.ContainsFunc(taken(s), isReady) {
					f.t.Fatal("no ready")
				}
				ops := f.record.of(1)
				want := []string{"declare", "consume", "bind", "bind", "bind"}
				if f.routed { // bound on other channels
					want = want[:2]
				}
				if !slices.Equal(ops, want) {
					f.t.Fatalf("have %v, want %v: a queue is consumed before it is bound, or a refused binding leaves it behind", ops, want)
				}
			})
		})
	}
}

// Messages that come between the first binding and the last wait for ready.
func TestNoMessageComesBeforeReady(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		r := f.threeBindings()
		f.record.before(func(c call) error {
			if c.op == "bind" && c.subject == "exchange/c" {
				f.publishTo(bounded(f.t), "exchange/a", "early", amqp.Message{Body: []byte("1")})
			}
			return nil
		})
		s, err := f.Connect(context.Background(), r)
		if err != nil {
			f.t.Fatal(err)
		}
		defer s.Close()
		synctest.Wait()
		events := taken(s)
		if len(events) < 2 || !isReady(events[1]) {
			f.t.Fatalf("have %v, want ping, ready, message", events)
		}
		if f.shared {
			return // whether it was attached when the message came is chance
		}
		if m, ok := events[len(events)-1].(*actors.Message); !ok || m.RoutingKey != "early" {
			f.t.Fatalf("the early message is %v", events[len(events)-1])
		}
	})
}

// The first ping is what arms the rule that a browser stops: it must not wait
// for a broker.
func TestTheFirstPingWaitsForNobody(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		f.record.before(func(call) error { return errors.New("no broker") })
		f.broker.DropLinks()
		s := f.connect(task, "#")
		if _, ok := f.next(s).(actors.Ping); !ok {
			f.t.Fatal("the first event is no ping")
		}
		f.ends(s, actors.BrokerUnavailable)
	})
}
