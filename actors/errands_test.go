package actors_test

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// limited opens a System with scouts on a broker whose user may have so many channels, in one mode.
func limited(t *testing.T, channels int, set func(*actors.Options), test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		f := openOn(t, amqp.NewMemory(), func(o *actors.Options) {
			if o.NoScouts = false; set != nil {
				set(o)
			}
		})
		f.broker.LimitChannels(channels)
		test(f)
	})
}

// full opens streams until the broker allows no further channel, which the next one has met.
func (f *fixture) full(n int) (streams []*actors.Stream) {
	f.t.Helper()
	for i := range n {
		streams = append(streams, f.ready(task, fmt.Sprintf("#.%d", i)))
	}
	f.ends(f.connect(task, "late"), actors.BrokerUnavailable)
	return streams
}

// unharmed fails unless the streams live and no link was lost.
func (f *fixture) unharmed(streams []*actors.Stream) {
	f.t.Helper()
	for i, s := range streams {
		f.publish(fmt.Sprint("x.", i), 1)
		f.messages(s, 1)
	}
	if n := f.Stats().LinksLost; n != 0 {
		f.t.Errorf("%d links were lost", n)
	}
}

// At the limit of channels a call is not answered. Whether its link lives is found out without a
// further channel, which would end it: its streams miss nothing, the one that waits is told, and the
// link is retired.
func TestALinkIsProbedWithoutAChannelThatTheBrokerDoesNotAllow(t *testing.T) {
	for _, share := range []bool{false, true} {
		limited(t, 4, func(o *actors.Options) { o.ShareQueues = share }, func(f *fixture) {
			f.declare(remote)
			f.ready(remote, "before").Close() // no scout meets the silence
			f.until("its channel is free", func() bool { return f.broker.Channels() == 0 })
			streams := f.full(3 + 1)
			streams[3].Close()
			f.until("a channel is free", func() bool { return f.broker.Channels() == 3 })
			end := f.silence("bind", remote)
			f.ends(f.connect(remote, "#"), actors.BrokerUnavailable)
			f.unharmed(streams[:3])
			f.until("the link is retired", func() bool { return f.Stats().LinksRetired == 1 }) // its stream is told first
			end()
			f.record.before(func(call) error { return nil })
		})
	}
}

// A link on which no stream's call is answered is given up at the limit of channels as well.
func TestALinkThatAnswersNothingIsClosedAtTheLimit(t *testing.T) {
	limited(t, 3, nil, func(f *fixture) {
		streams := f.full(3)
		streams[2].Close()
		f.until("a channel is free", func() bool { return f.broker.Channels() == 2 })
		pass(time.Second)
		f.broker.Freeze()
		f.ends(f.connect(task, "a"), actors.BrokerUnavailable)
		f.ends(streams[0], actors.BrokerLost)
		if n := f.Stats().LinksRetired; n != 0 {
			f.t.Errorf("%d links were retired", n)
		}
		f.broker.Thaw()
	})
}

// A queue that cannot be consumed is deleted on a channel in the place of its own, and not beside it.
func TestAQueueIsDeletedWithoutAChannelThatTheBrokerDoesNotAllow(t *testing.T) {
	limited(t, 4, nil, func(f *fixture) {
		streams := f.full(4)
		streams[3].Close()
		f.until("a channel is free", func() bool { return f.broker.Channels() == 3 })
		f.record.before(func(c call) error {
			if c.op == "consume" {
				return &amqp.Error{Kind: amqp.Refused, Code: amqp.PreconditionFailed, Op: "consume", Cause: errors.New("planted")}
			}
			return nil
		})
		pass(time.Second)
		f.ends(f.connect(task, "a"), actors.BrokerUnavailable)
		f.record.before(func(call) error { return nil })
		f.until("the queue is gone", func() bool { return len(f.broker.Queues()) == 3 })
		f.unharmed(streams[:3])
	})
}

// The routed queue is bound on a second channel. Where the broker does not allow two, its streams are
// told to come back, and the others miss nothing; where it does, no other stream can take the second
// one, whatever is refused on it.
func TestTheRoutedQueuesSecondChannelHarmsNoStream(t *testing.T) {
	limited(t, 4, func(o *actors.Options) { o.RoutedExchanges = []string{status} }, func(f *fixture) {
		f.declare(status)
		others := []*actors.Stream{f.ready(task, "#.0"), f.ready(task, "#.1"), f.ready(task, "#.2")}
		f.ends(f.connect(status, "a"), actors.BrokerUnavailable)
		f.unharmed(others)
		others[2].Close()
		f.until("a channel is free", func() bool { return f.broker.Channels() == 2 })
		pass(time.Minute) // the limit is doubted by then
		routed := f.ready(status, "a")
		f.ends(f.connect(task, "late"), actors.BrokerUnavailable)
		f.unharmed(others[:2])
		pass(5 * time.Minute) // the bindings are repeated
		if err := f.pub.Delete(bounded(f.t), status); err != nil {
			f.t.Fatal(err)
		}
		f.ends(routed, actors.BindingRefused)
		f.declare(status)
		routed = f.ready(status, "b")
		f.ends(f.connect(task, "late"), actors.BrokerUnavailable)
		f.to(status, "b", "1")
		f.reads(routed, "1")
		f.unharmed(others[:2])
	})
}

// Binds of the routed queue that hang take a further channel each only where there is one; the others
// wait for their turn.
func TestRoutedBindsThatHangTakeNoChannelThatTheBrokerDoesNotAllow(t *testing.T) {
	limited(t, 3, routed, func(f *fixture) {
		mute := []string{remote + "1", remote + "2", remote + "3"}
		for _, exchange := range append(mute, status) { // known from an earlier feed: no scout tries them
			f.declare(exchange)
			f.ready(exchange, "#").Close()
		}
		f.until("the feed is gone", func() bool { return f.Stats().Feeds == 0 && f.broker.Channels() == 0 })
		living := f.ready(task, "a")
		silent := make(chan struct{})
		f.record.before(func(c call) error {
			if c.op == "bind" && slices.Contains(mute, c.subject) {
				<-silent
			}
			return nil
		})
		for _, exchange := range mute {
			f.ends(f.connect(exchange, "#"), actors.BrokerUnavailable)
		}
		newcomer := f.connect(status, "#")
		pass(5 * time.Second)
		close(silent)
		f.awaitReady(newcomer)
		f.to(task, "a", "1")
		f.reads(living, "1")
		if n := f.Stats().LinksLost; n != 0 {
			f.t.Errorf("%d links were lost", n)
		}
	})
}

// A scout tries an exchange on a channel of its own, which is counted: the last one that the broker
// allows is not leased meanwhile.
func TestAScoutAndAStreamDoNotShareTheLastChannel(t *testing.T) {
	limited(t, 4, nil, func(f *fixture) {
		streams := f.full(4)
		streams[3].Close()
		f.until("a channel is free", func() bool { return f.broker.Channels() == 3 })
		pass(time.Second)
		const fresh = "exchange/tc/fresh"
		f.declare(fresh)
		end := f.silenceUntil("bind", fresh)
		waiting := f.connect(fresh, "#")
		synctest.Wait()
		known := f.connect(task, "known") // its exchange is known, and the last channel is the scout's
		pass(time.Second)
		f.unharmed(streams[:3])
		end()
		f.awaitReady(known)
		f.ends(waiting, actors.BrokerUnavailable)
		f.unharmed(streams[:3])
	})
}

// At the limit of channels no scout can try an exchange before bindings are repeated. They are
// repeated all the same, so that no stream is deaf, and that is counted.
func TestBindingsAreRepeatedUntriedAtTheLimitOfChannels(t *testing.T) {
	limited(t, 3, nil, func(f *fixture) {
		streams := f.full(3)
		f.remakeExchange()
		pass(90 * time.Second)
		f.unharmed(streams)
		if s := f.Stats(); s.RebindsUntried < 3 || s.RebindsSkipped != 0 {
			f.t.Errorf("%d repeated untried, %d skipped", s.RebindsUntried, s.RebindsSkipped)
		}
	})
}

// A scout that has no answer about one exchange holds up the streams of that one alone: the bindings
// of the others are repeated in time, and those that could not be tried are counted.
func TestAMuteScoutHoldsUpTheBindingsOfItsExchangeAlone(t *testing.T) {
	every := func(o *actors.Options) { o.NoScouts, o.Limits.RebindEvery = false, 20*time.Second }
	synctest.Test(t, func(t *testing.T) {
		f := openOn(t, amqp.NewMemory(), every)
		f.declare(remote)
		for i := range 20 {
			f.ready(remote, fmt.Sprint(i))
		}
		s := f.ready(task, "#")
		pass(time.Minute)
		var binds atomic.Int64
		f.record.before(func(c call) error {
			switch {
			case c.op == "bind" && c.subject == remote:
				time.Sleep(10 * time.Second) // its link is closed then
				return &amqp.Error{Kind: amqp.LinkLost, Op: "bind"}
			case c.op == "bind" && c.subject == task:
				binds.Add(1)
			}
			return nil
		})
		const periods = 15
		pass(periods * 20 * time.Second)
		if n := binds.Load(); n < 2*(periods-3) { // a scout's and the stream's own
			f.t.Errorf("%d binds of the other exchange in %d periods", n, periods)
		}
		if n := f.Stats().RebindsSkipped; n == 0 {
			f.t.Error("that streams may be deaf is not counted")
		}
		f.record.before(func(call) error { return nil })
		pass(15 * time.Second) // the scout that is under way has its answer
		f.publish("a", 1)
		f.messages(s, 1)
	})
}

// At the limit of channels no scout can try an exchange that the routed queue is not bound to. Who
// wants it is served all the same: it is bound on the queue's second channel, and one that does not
// exist is told as ever.
func TestARoutedExchangeIsBoundUntriedAtTheLimitOfChannels(t *testing.T) {
	limited(t, 3, func(o *actors.Options) { o.RoutedExchanges = []string{status, remote, "exchange/none"} }, func(f *fixture) {
		f.declare(status)
		f.declare(remote)
		routed := f.ready(status, "#")
		other := f.ready(task, "#")
		f.ends(f.connect(task, "late"), actors.BrokerUnavailable)
		f.ends(f.connect("exchange/none", "#"), actors.BindingRefused)
		f.ready(remote, "#")
		f.to(status, "a", "1")
		f.reads(routed, "1")
		f.unharmed([]*actors.Stream{other})
	})
}
