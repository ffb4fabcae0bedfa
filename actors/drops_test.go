package actors_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// dropping opens a System on the broker without the fixture's recorder, which hides that a channel
// can tell what queues drop.
func dropping(t *testing.T, broker *amqp.Memory, change func(*actors.Options)) *fixture {
	t.Helper()
	return openOn(t, broker, func(o *actors.Options) {
		o.Dialer = broker
		o.Limits = actors.Limits{Prefetch: 2, FeedPrefetch: 2, SlowAfter: time.Hour}
		if change != nil {
			change(o)
		}
	})
}

// eachDropping runs a test on a broker of its own, in both modes and in a bubble, with scouts: as
// the binary has it.
func eachDropping(t *testing.T, o amqp.MemoryOptions, test func(f *fixture)) {
	t.Helper()
	for _, share := range []bool{false, true} {
		t.Run(map[bool]string{false: "dedicated", true: "shared"}[share], func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				test(dropping(t, amqp.NewMemory(o), func(o *actors.Options) { o.ShareQueues, o.NoScouts = share, false }))
			})
		})
	}
}

// each opens n streams with bindings of their own, so that each has a queue in both modes.
func (f *fixture) each(n int) (streams []*actors.Stream) {
	f.t.Helper()
	for i := range n {
		streams = append(streams, f.ready(task, fmt.Sprintf("%d.#", i)))
	}
	return streams
}

// loses fails the test unless a stream of its own is told that the broker has dropped messages.
func (f *fixture) loses() {
	f.t.Helper()
	f.broker.LimitQueues(1)
	s := f.ready(task, "many.#")
	f.publish("many.x", 500)
	f.dropped(s)
	f.broker.LimitQueues(0)
}

// dropped reads until the stream ends, past what was not dropped.
func (f *fixture) dropped(s *actors.Stream) {
	f.t.Helper()
	if err := f.ends(s, actors.MessagesDropped); !err.Code.Retryable() {
		f.t.Fatal("not retryable")
	}
}

// What a policy of the broker's operator drops from a stream's queue ends that stream, and counts.
// A stream that loses nothing goes on.
func TestWhatTheBrokerDropsIsTold(t *testing.T) {
	broker := amqp.NewMemory()
	f := dropping(t, broker, nil)
	broker.LimitQueues(10)
	loses, keeps := f.ready(task, "many.#"), f.ready(task, "few.#")
	f.publish("many.x", 50)
	f.publish("few.x", 5)
	f.dropped(loses)
	if n := f.Stats().Dropped; n < 1 || n > 50 {
		t.Errorf("%d were counted", n)
	}
	f.messages(keeps, 5)
	keeps.Close()
	f.clean()
	if x := broker.Exchanges(); len(x) != 1 {
		t.Errorf("exchanges %v are left", x)
	}
}

// Streams that share a queue lose the same messages, and are all told.
func TestWhatTheBrokerDropsIsToldToAllWhoShareTheQueue(t *testing.T) {
	broker := amqp.NewMemory()
	f := dropping(t, broker, func(o *actors.Options) { o.ShareQueues = true })
	broker.LimitQueues(1)
	streams := []*actors.Stream{f.ready(task, "#"), f.ready(task, "#")}
	f.publish("a", 500)
	for _, s := range streams {
		f.dropped(s)
	}
	f.clean()
}

// Without the right to an exchange for what is dropped, streams work all the same; that is logged
// once.
func TestABrokerThatForbidsDeadLettersIsUsedWithout(t *testing.T) {
	for _, scouts := range []bool{false, true} {
		var log strings.Builder
		broker := amqp.NewMemory(amqp.MemoryOptions{QueuePrefix: "queue/tester/exclusive/"})
		f := dropping(t, broker, func(o *actors.Options) { o.Logger, o.NoScouts = slog.New(slog.NewTextHandler(&log, nil)), !scouts })
		for range 3 {
			f.works()
		}
		f.close()
		if n := strings.Count(log.String(), "cannot be noticed"); n != 1 {
			t.Errorf("scouts %t: it was logged %d times:\n%s", scouts, n, log.String())
		}
	}
}

// Hearing of drops costs no stream its channel: at a limit of five, five streams are served, none
// is lost, and the sixth is told. Where the limit is raised, drops are heard of again, also those of
// streams that were there before.
func TestNoStreamIsRefusedForTheChannelOfDeadLetters(t *testing.T) {
	eachDropping(t, amqp.MemoryOptions{}, func(f *fixture) {
		f.loses()
		f.broker.LimitChannels(5)
		streams := f.each(5)
		for range 3 {
			f.ends(f.connect(task, "sixth"), actors.BrokerUnavailable)
		}
		if n := f.broker.Channels(); n != 5 {
			f.t.Fatalf("%d channels are open", n)
		}
		f.publish("0.x", 1)
		f.messages(streams[0], 1)
		f.broker.LimitChannels(0)
		pass(time.Minute)
		f.loses()
		f.broker.LimitQueues(5)
		f.publish("4.x", 50)
		f.dropped(streams[4])
		if n := f.Stats().LinksLost; n != 0 {
			f.t.Fatalf("%d links were lost", n)
		}
	})
}

// Nor does it cost a stream its queue: where the virtual host may have three, three streams are
// served.
func TestNoStreamIsRefusedForTheQueueOfDeadLetters(t *testing.T) {
	eachDropping(t, amqp.MemoryOptions{Queues: 3}, func(f *fixture) {
		streams := f.each(3)
		f.ends(f.connect(task, "fourth"), actors.BrokerUnavailable)
		for i, s := range streams {
			f.publish(fmt.Sprintf("%d.x", i), 1)
			f.messages(s, 1)
			s.Close()
		}
		f.clean()
		pass(time.Minute)
		f.loses()
	})
}

// A channel of dead letters that the broker has ended is opened again, and the streams that were
// there are told of what is dropped from then on.
func TestDeadLettersAreHeardAgainAfterTheirChannelHasEnded(t *testing.T) {
	eachDropping(t, amqp.MemoryOptions{}, func(f *fixture) {
		s := f.ready(task, "many.#")
		for _, name := range f.broker.Queues() {
			if strings.HasPrefix(name, "queue/tester/dropped/") {
				f.broker.DeleteQueue(name)
			}
		}
		pass(10 * time.Second)
		f.broker.LimitQueues(1)
		f.publish("many.x", 500) // a feed takes them while they are published, and may keep up with fewer
		f.dropped(s)
	})
}

// Who wants no part of it has neither queue nor channel of it.
func TestDropsAreIgnoredOnDemand(t *testing.T) {
	f := dropping(t, amqp.NewMemory(), func(o *actors.Options) { o.IgnoreDrops, o.NoScouts = true, false })
	f.ready(task, "#")
	if q, c := f.broker.Queues(), f.broker.Channels(); len(q) != 1 || c != 1 {
		t.Fatalf("queues %v, %d channels for one stream", q, c)
	}
}
