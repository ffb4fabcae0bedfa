package actors_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

const hostile = "exchange/tc/hostile"

// scouting runs a test in each mode with a System that sends scouts, on a broker that answers a
// bind to the hostile exchange by ending the link.
func scouting(t *testing.T, change func(*actors.Options), test func(f *fixture)) {
	t.Helper()
	scoutingIn(modes, t, change, test)
}

func scoutingIn(modes []mode, t *testing.T, change func(*actors.Options), test func(f *fixture)) {
	t.Helper()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				broker := amqp.NewMemory(amqp.MemoryOptions{EndsLink: func(exchange string) bool { return exchange == hostile }})
				test(openOn(t, broker, func(o *actors.Options) {
					m.set(o)
					if o.NoScouts = false; change != nil {
						change(o)
					}
				}))
			})
		})
	}
}

// One client asks for an exchange whose bind ends the whole AMQP connection. It is told, and told
// not to come back with that; the streams that share its connection miss nothing, however often it
// does.
func TestABindThatEndsTheLinkEndsNoOtherStream(t *testing.T) {
	scouting(t, nil, func(f *fixture) {
		var neighbours []*actors.Stream
		for range 10 {
			neighbours = append(neighbours, f.ready(task, "#"))
		}
		for range 3 {
			err := f.ends(f.connect(hostile, "#"), actors.BindingRefused)
			if err.Code.Retryable() {
				f.t.Fatal("the client would come back with it")
			}
		}
		f.publish("a", 2)
		for _, s := range neighbours {
			f.messages(s, 2)
		}
		if s := f.Stats(); s.LinksLost != 0 || s.Restarts != 0 {
			f.t.Fatalf("%d links with streams were lost", s.LinksLost)
		}
	})
}

// A request for several exchanges waits for all of them, and one that cannot be bound is enough.
func TestARequestIsRefusedForTheOneExchangeThatEndsTheLink(t *testing.T) {
	scouting(t, nil, func(f *fixture) {
		other := f.ready(task, "#")
		f.declare("exchange/tc/new")
		mixed := actors.Request{Bindings: []amqp.Binding{
			{Exchange: "exchange/tc/new", Pattern: "#"}, {Exchange: hostile, Pattern: "#"}, {Exchange: task, Pattern: "a"},
		}}
		s, err := f.Connect(context.Background(), mixed)
		if err != nil {
			f.t.Fatal(err)
		}
		defer s.Close()
		f.ends(s, actors.BindingRefused)
		f.publish("a", 1)
		f.messages(other, 1)
		f.ready("exchange/tc/new", "#")
	})
}

// What a client is told does not depend on who meets the refusal: a scout or its own worker.
func TestAScoutsRefusalIsToldAsAnyOther(t *testing.T) {
	scouting(t, nil, func(f *fixture) {
		err := f.ends(f.connect("exchange/none", "#"), actors.BindingRefused)
		if want := `The exchange "exchange/none" does not exist`; err.Reason != want {
			f.t.Fatalf("the client is told %q", err.Reason)
		}
		f.clean()
	})
}

// An exchange is tried once, not for each stream: a start of thousands costs one more bind.
func TestAnExchangeIsTriedOnce(t *testing.T) {
	scouting(t, nil, func(f *fixture) {
		var streams []*actors.Stream
		for range 50 {
			streams = append(streams, f.connect(task, "#"))
		}
		for _, s := range streams {
			f.awaitReady(s)
		}
		want := 51 // one for each stream's queue
		if f.shared {
			want = 2
		}
		if n := f.record.count("bind"); n != want {
			f.t.Fatalf("%d binds, want %d", n, want)
		}
	})
}

// An exchange may be deleted and made again as one that ends links. That happens once.
func TestAnExchangeThatHasEndedALinkIsTriedAgain(t *testing.T) {
	for _, m := range modes {
		synctest.Test(t, func(t *testing.T) {
			harmful := false
			broker := amqp.NewMemory(amqp.MemoryOptions{EndsLink: func(exchange string) bool { return harmful && exchange == hostile }})
			f := openOn(t, broker, func(o *actors.Options) { m.set(o); o.NoScouts = false })
			f.declare(hostile)
			f.ready(hostile, "a").Close()
			pass(10 * time.Second)
			harmful = true
			first := f.ready(task, "#")
			f.end(f.connect(hostile, "b"))
			f.ends(first, actors.BrokerLost) // this once
			pass(10 * time.Second)
			second := f.ready(task, "#")
			f.ends(f.connect(hostile, "c"), actors.BindingRefused)
			f.publish("a", 1)
			f.messages(second, 1)
		})
	}
}

// An exchange may be deleted and made again as one that ends links, while streams have bindings to
// it: repeating those must cost no other stream its link. Its own are told.
func TestARepeatedBindThatWouldEndTheLinkEndsNoOtherStream(t *testing.T) {
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var harmful atomic.Bool
				broker := amqp.NewMemory(amqp.MemoryOptions{EndsLink: func(exchange string) bool { return harmful.Load() && exchange == hostile }})
				f := openOn(t, broker, func(o *actors.Options) { m.set(o); o.NoScouts = false })
				f.declare(hostile)
				own, other := f.ready(hostile, "a"), f.ready(task, "#")
				harmful.Store(true)
				pass(90 * time.Second) // every binding is repeated each minute
				if err := f.ends(own, actors.BindingRefused); err.Code.Retryable() {
					t.Error("its client would come back with it")
				}
				f.ends(f.connect(hostile, "b"), actors.BindingRefused)
				f.publish("a", 1)
				f.messages(other, 1)
				if n := f.Stats().LinksLost; n != 0 {
					t.Errorf("%d links were lost", n)
				}
				pass(time.Minute)
				if s := f.Stats(); s.Links != 1 || s.Streams != 1 {
					t.Errorf("%d links, %d streams", s.Links, s.Streams)
				}
			})
		})
	}
}

// Where a scout cannot be sent (a user may have a limit of connections) streams work as without.
func TestStreamsWorkWithoutScouts(t *testing.T) {
	scouting(t, nil, func(f *fixture) {
		synctest.Wait() // the link for streams is there
		f.record.before(func(c call) error {
			if c.op == "dial" {
				return errNobodyThere
			}
			return nil
		})
		streams := []*actors.Stream{f.ready(task, "#"), f.ready(task, "a"), f.ready(task, "#")}
		f.publish("a", 1)
		for _, s := range streams {
			f.messages(s, 1)
		}
	})
}

// A broker that does not answer a scout holds up those who asked for that exchange, and for a
// bounded time.
func TestAScoutWithoutAnAnswerIsTold(t *testing.T) {
	scouting(t, nil, func(f *fixture) {
		f.ready(task, "#")
		silent := make(chan struct{})
		f.declare("exchange/tc/silent")
		f.record.before(func(c call) error {
			if c.op == "bind" && c.subject == "exchange/tc/silent" {
				<-silent
				return &amqp.Error{Kind: amqp.LinkLost, Op: "bind"}
			}
			return nil
		})
		time.AfterFunc(10*time.Second, func() { close(silent) }) // its link is closed then
		start := time.Now()
		s := f.connect("exchange/tc/silent", "#")
		f.ready(task, "a") // others go on
		f.ends(s, actors.BrokerUnavailable)
		if took := time.Since(start); took > 11*time.Second {
			f.t.Fatalf("told after %s", took)
		}
	})
}

// The links of scouts are not kept: they serve no stream.
func TestAScoutsLinkIsClosedWhenItIsNotNeeded(t *testing.T) {
	scouting(t, nil, func(f *fixture) {
		f.ready(task, "#")
		f.ready(task, "a")
		pass(11 * time.Second)
		if n := f.broker.Links(); n != 1 {
			f.t.Fatalf("%d links, want the one with the streams", n)
		}
	})
}

// The operator has limited the channels of our user. The streams that are there stay; newcomers are
// told to come back, without trying what the broker answers by ending a link; and when the limit is
// raised, they are served.
func TestAChannelLimitOfTheBrokerEndsNoStream(t *testing.T) {
	scoutingIn(binding, t, channelsPerLink(3), func(f *fixture) { // over several links
		f.broker.LimitChannels(5)
		var streams []*actors.Stream
		for _, key := range []string{"a.#", "#", "a", "*", "a.a.#"}[:5] {
			streams = append(streams, f.ready(task, key))
		}
		for range 3 {
			err := f.ends(f.connect(task, "late.#"), actors.BrokerUnavailable)
			if !err.Code.Retryable() {
				f.t.Fatal("it may work later")
			}
		}
		channels := f.record.count("channel")
		for range 10 {
			f.ends(f.connect(task, "later.#"), actors.BrokerUnavailable)
		}
		if n := f.record.count("channel") - channels; n != 0 {
			f.t.Fatalf("%d channels were tried beyond the known limit", n)
		}
		f.publish("a", 1)
		for _, s := range streams[:4] {
			f.messages(s, 1)
		}
		if s := f.Stats(); s.LinksLost != 0 {
			f.t.Fatalf("%d links were lost", s.LinksLost)
		}
		streams[4].Close()
		f.until("a channel is free", func() bool { return f.broker.Channels() == 4 })
		f.ready(task, "newcomer") // within the limit again
		f.ends(f.connect(task, "again"), actors.BrokerUnavailable)

		f.broker.LimitChannels(50)
		pass(time.Minute)
		for range 20 {
			f.ready(task, "a")
		}
		f.publish("a", 1)
		f.messages(streams[0], 1)
	})
}

// Another process of the same user takes the channels that were ours a moment ago: a link is lost
// once, and then the limit is known.
func TestAChannelLimitThatOthersReachIsLearned(t *testing.T) {
	scoutingIn(binding, t, nil, func(f *fixture) {
		var streams []*actors.Stream
		for _, key := range []string{"a", "b", "c", "d"} {
			streams = append(streams, f.ready(task, key))
		}
		streams[3].Close()
		f.until("a channel is free", func() bool { return f.broker.Channels() == 3 })
		f.broker.LimitChannels(3)
		f.end(f.connect(task, "e"))
		f.ends(streams[0], actors.BrokerLost)
		pass(10 * time.Second)
		again := []*actors.Stream{f.ready(task, "a"), f.ready(task, "b"), f.ready(task, "c")}
		f.ends(f.connect(task, "d"), actors.BrokerUnavailable)
		f.publish("a", 1)
		f.messages(again[0], 1)
		if n := f.Stats().LinksLost; n != 1 {
			f.t.Fatalf("%d links were lost, want one", n)
		}
	})
}
