package actors_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Broker cost grows with distinct binding sets, not with clients.
func TestEqualBindingsShareOneQueueInAnyOrder(t *testing.T) {
	f := open(t, shared)
	f.declare("exchange/b")
	one, two := amqp.Binding{Exchange: "exchange/tc/task", Pattern: "a.#"}, amqp.Binding{Exchange: "exchange/b", Pattern: "#"}
	var streams []*actors.Stream
	for _, bindings := range [][]amqp.Binding{{one, two}, {two, one}, {one, two, one}} {
		s, err := f.Connect(context.Background(), actors.Request{Bindings: bindings})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		f.awaitReady(s)
		streams = append(streams, s)
	}
	if n := len(f.broker.Queues()); n != 1 {
		t.Fatalf("%d queues, want 1", n)
	}
	f.publish("a.x", 3)
	for _, s := range streams {
		for range 3 {
			if m, ok := f.next(s).(*actors.Message); !ok || m.RoutingKey != "a.x" {
				t.Fatal("a stream lost a message")
			}
		}
	}
}

// What means the same to a broker is one binding there, however it is spelled; each stream is shown
// with what it asked for.
func TestBindingsThatMeanTheSameShareAQueue(t *testing.T) {
	f := open(t, shared)
	asked := []string{"a.#.*", "a.*.#", "a.#.*.#.#"}
	for _, pattern := range asked {
		f.ready("exchange/tc/task", pattern)
	}
	if queues, bindings := len(f.broker.Queues()), f.broker.Bindings(); queues != 1 || bindings != 1 {
		t.Errorf("%d queues with %d bindings, want 1 with 1", queues, bindings)
	}
	var shown []string
	for _, s := range f.Snapshot().Streams {
		shown = append(shown, s.Bindings[0].Pattern)
	}
	slices.Sort(shown)
	slices.Sort(asked)
	if !slices.Equal(shown, asked) {
		t.Errorf("the snapshot shows %q, want %q", shown, asked)
	}
}

// The queue is deleted when the last stream has left and none came back.
func TestASharedQueueGoesAfterItsLastStream(t *testing.T) {
	f := open(t, func(o *actors.Options) { o.ShareQueues, o.Limits.Linger = true, 1 })
	a, b := f.ready("exchange/tc/task", "#"), f.ready("exchange/tc/task", "#")
	a.Close()
	f.publish("x", 1)
	if _, ok := f.next(b).(*actors.Message); !ok {
		t.Fatal("the other stream lost its message")
	}
	b.Close()
	f.clean()
	again := f.ready("exchange/tc/task", "#")
	f.publish("x", 1)
	if _, ok := f.next(again).(*actors.Message); !ok {
		t.Fatal("the stream of a new feed lost its message")
	}
}

// A feed's failure reaches every stream of it with the right code, and no other.
func TestAFeedsFailureIsToldToAllItsStreams(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(f *fixture, id string, others []string)
		code actors.Code
	}{
		{"queue deleted", func(f *fixture, _ string, others []string) { f.deleteQueues(others) }, actors.QueueDeleted},
		{"consumer panics", func(f *fixture, id string, _ []string) { f.crash(actors.RoleConsumer, id) }, actors.InternalError},
		{"worker panics", func(f *fixture, id string, _ []string) { f.crash(actors.RoleWorker, id) }, actors.InternalError},
		{"feed panics", func(f *fixture, id string, _ []string) { f.crash(actors.RoleFeed, id) }, actors.InternalError},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, shared, func(f *fixture) {
				good := f.ready(task, "good")
				others := f.broker.Queues()
				a, b := f.ready(task, "bad"), f.ready(task, "bad")
				c.harm(f, a.ID(), others)
				f.ends(a, c.code)
				f.ends(b, c.code)
				f.publish("good", 1)
				f.messages(good, 1) // another feed's stream has lost nothing
				f.ready(task, "bad")
			})
		})
	}
}

func TestARefusedBindingIsToldToAllWhoWaitForIt(t *testing.T) {
	f := open(t, shared)
	a, b := f.connect("exchange/none", "#"), f.connect("exchange/none", "#")
	for _, s := range []*actors.Stream{a, b} {
		if err := f.end(s); err.Code != actors.BindingRefused {
			t.Fatal(err)
		}
	}
}

// A stuck reader costs itself its stream, and the others nothing.
func TestAStuckReaderOfASharedQueueIsCutAlone(t *testing.T) {
	f := open(t, func(o *actors.Options) { o.ShareQueues, o.Limits.BacklogBytes = true, 4096 })
	stuck := f.ready("exchange/tc/task", "#")
	fast := []*actors.Stream{f.ready("exchange/tc/task", "#"), f.ready("exchange/tc/task", "#")}
	for i := range 500 {
		f.publish("x", 1)
		for _, s := range fast {
			if _, ok := f.next(s).(*actors.Message); !ok {
				t.Fatalf("message %d did not reach a fast reader", i)
			}
		}
	}
	if err := f.end(stuck); err.Code != actors.SlowConsumer {
		t.Fatal(err)
	}
	f.until("the stuck one is gone", func() bool { return f.Stats().Streams == 2 })
}

func TestDrainEndsSharedStreamsAndTheirQueue(t *testing.T) {
	f := open(t, shared)
	lingering := f.ready("exchange/tc/task", "lingering")
	lingering.Close()
	s := f.ready("exchange/tc/task", "#")
	if err := f.Drain(bounded(t), 0); err != nil {
		t.Fatal(err)
	}
	if err := f.end(s); err.Code != actors.ServerShutdown {
		t.Fatal(err)
	}
	f.clean()
}

// No reader comes back to a queue while the service drains: what lingers is deleted now.
func TestDrainDoesNotWaitForQueuesThatLinger(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.ShareQueues, o.Limits.Linger = true, time.Minute }, func(f *fixture) {
		f.ready(task, "lingering").Close()
		synctest.Wait()
		start := time.Now()
		if err := f.Drain(bounded(f.t), 0); err != nil {
			f.t.Fatal(err)
		}
		if took := time.Since(start); took > time.Second {
			f.t.Fatalf("the drain took %s", took)
		}
	})
}

// A queue lingers for those who come back soon: they find it as it was.
func TestAReaderThatComesBackSoonFindsTheSharedQueue(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.ShareQueues, o.Limits.Linger = true, time.Minute }, func(f *fixture) {
		f.ready(task, "#").Close()
		pass(59 * time.Second)
		f.ready(task, "#").Close()
		pass(59 * time.Second) // the first leaving's minute is over, the second's is not
		again := f.ready(task, "#")
		if n := f.record.count("declare"); n != 1 {
			f.t.Fatalf("%d queues were declared", n)
		}
		again.Close()
		pass(61 * time.Second)
		f.clean()
	})
}

// A broken feeds actor is restarted; its streams hear of it and new ones work.
func TestFeedsHealAfterAPanic(t *testing.T) {
	f := open(t, shared)
	s := f.ready("exchange/tc/task", "#")
	if err := f.Crash(actors.RoleFeeds, ""); err != nil {
		t.Fatal(err)
	}
	if err := f.end(s); err.Code != actors.InternalError {
		t.Fatal(err)
	}
	f.ready("exchange/tc/task", "#")
}

// deleteQueues deletes every queue but those to keep.
func (f *fixture) deleteQueues(keep []string) {
	for _, q := range f.broker.Queues() {
		if !slices.Contains(keep, q) {
			f.broker.DeleteQueue(q)
		}
	}
}
