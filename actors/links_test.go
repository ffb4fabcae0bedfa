package actors_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

func channelsPerLink(n int) func(*actors.Options) {
	return func(o *actors.Options) { o.Limits.ChannelsPerLink = n }
}

// A broker limits the channels of a link, and a lost link must not end
// everybody: the pool grows.
func TestALinkIsAddedWhenTheOthersAreFull(t *testing.T) {
	bubble(t, channelsPerLink(3), func(f *fixture) {
		var streams []*actors.Stream
		for i := range 10 {
			streams = append(streams, f.ready(task, "#"))
			if want := i/3 + 1; f.broker.Links() != want {
				f.t.Fatalf("%d streams on %d links, want %d", i+1, f.broker.Links(), want)
			}
		}
		f.publish("a", 3)
		for _, s := range streams {
			f.messages(s, 3)
		}
		if n := f.record.atMost("dial"); n != 1 {
			f.t.Fatalf("%d dials at a time", n)
		}
	})
}

// Many at once: no stream is refused while the pool grows link by link.
func TestACrowdIsServedWhileLinksAreAdded(t *testing.T) {
	bubble(t, channelsPerLink(4), func(f *fixture) {
		var streams []*actors.Stream
		for range 30 {
			streams = append(streams, f.connect(task, "#"))
		}
		for _, s := range streams {
			f.awaitReady(s)
		}
		if n := f.broker.Links(); n != 8 {
			f.t.Fatalf("%d links for 30 streams of 4 each", n)
		}
	})
}

// An idle link goes after a while; the last one stays, so that the next stream
// need not wait for a dial.
func TestIdleLinksAreClosedButForOne(t *testing.T) {
	bubble(t, channelsPerLink(1), func(f *fixture) {
		var streams []*actors.Stream
		for range 5 {
			streams = append(streams, f.ready(task, "#"))
		}
		for _, s := range streams[1:] {
			s.Close()
		}
		pass(29 * time.Second)
		if n := f.broker.Links(); n != 5 {
			f.t.Fatalf("%d links before the rest", n)
		}
		pass(2 * time.Second)
		if n := f.broker.Links(); n != 1 {
			f.t.Fatalf("%d links after the rest, want the one in use", n)
		}
		streams[0].Close()
		pass(time.Minute)
		if n := f.broker.Links(); n != 1 {
			f.t.Fatalf("%d links, want the last one kept", n)
		}
		if s := f.Stats(); s.LinksLost != 0 {
			f.t.Fatalf("%d links count as lost", s.LinksLost)
		}
	})
}

// A link that is in use again when its rest is over stays.
func TestALinkThatIsUsedAgainIsNotClosed(t *testing.T) {
	bubble(t, channelsPerLink(1), func(f *fixture) {
		f.ready(task, "#")
		f.ready(task, "#").Close()
		pass(20 * time.Second)
		again := f.ready(task, "#")
		pass(20 * time.Second)
		f.publish("a", 1)
		f.messages(again, 1)
	})
}

// A link that is dialed for a stream that has ended meanwhile is closed like any other.
func TestALinkThatComesTooLateIsClosed(t *testing.T) {
	bubble(t, channelsPerLink(1), func(f *fixture) {
		f.ready(task, "#")
		goOn := make(chan struct{})
		f.record.before(func(c call) error {
			if c.op == "dial" {
				<-goOn
			}
			return nil
		})
		late := f.connect(task, "#")
		synctest.Wait()
		late.Close()
		synctest.Wait() // it has given its place up before the link comes
		close(goOn)
		pass(time.Minute)
		if n := f.broker.Links(); n != 1 {
			f.t.Fatalf("%d links, want the one in use", n)
		}
	})
}

// The streams of one link end with it, those of another do not notice.
func TestALostLinkEndsOnlyItsOwnStreams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory()
		var links []amqp.Link
		f := openOn(t, broker, func(o *actors.Options) {
			o.Limits.ChannelsPerLink = 1
			o.Dialer.(*recorder).next = keeping{broker, &links}
		})
		first, second := f.ready(task, "#"), f.ready(task, "#")
		links[0].Close(0) // not by the proxy: the link reports no error
		f.ends(first, actors.BrokerLost)
		f.publish("a", 1)
		f.messages(second, 1)
		f.works()
	})
}

// A start of thousands must not drown the broker: so many channels are opened
// at a time, on each link, and no more.
func TestNoMoreThanDeclaresChannelsAreOpenedAtATime(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Declares = 3 }, func(f *fixture) {
		goOn := make(chan struct{})
		f.record.before(func(c call) error {
			if c.op == "declare" {
				<-goOn
			}
			return nil
		})
		var streams []*actors.Stream
		for range 20 {
			streams = append(streams, f.connect(task, "#"))
		}
		synctest.Wait()
		if n := f.record.under("declare"); n != 3 {
			f.t.Fatalf("%d declares at a time, want 3", n)
		}
		if s := f.Stats(); s.Waiting != 17 || s.Leases != 3 {
			f.t.Fatalf("%d wait, %d have a channel", s.Waiting, s.Leases)
		}
		for _, s := range streams[:10] {
			s.Close() // a stream that leaves frees no place before the broker has answered
		}
		synctest.Wait()
		if n := f.record.under("declare"); n != 3 {
			f.t.Fatalf("%d declares at a time after some have left, want 3", n)
		}
		close(goOn)
		for _, s := range streams[10:] {
			f.awaitReady(s)
		}
		if n := f.record.atMost("declare"); n != 3 {
			f.t.Fatalf("%d declares at a time, want 3", n)
		}
	})
}

// Those who wait are served in the order of asking.
func TestChannelsAreGivenOutInTheOrderOfAsking(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Declares = 1 }, func(f *fixture) {
		goOn := make(chan struct{})
		f.record.before(func(c call) error {
			if c.op == "declare" {
				<-goOn
			}
			return nil
		})
		var want []string
		for _, name := range []string{"a", "b", "c", "d", "e"} {
			exchange := "exchange/" + name
			f.declare(exchange)
			f.connect(exchange, "#")
			synctest.Wait() // the next asks after it
			want = append(want, exchange)
		}
		close(goOn)
		f.until("all are bound", func() bool { return f.record.count("bind") == len(want) })
		for i, exchange := range want {
			if have := f.record.subjects("bind")[i]; have != exchange {
				f.t.Fatalf("number %d is %s, want %s", i, have, exchange)
			}
		}
	})
}

// keeping is a Dialer that remembers its links.
type keeping struct {
	amqp.Dialer
	links *[]amqp.Link
}

func (k keeping) Dial(ctx context.Context) (amqp.Link, error) {
	link, err := k.Dialer.Dial(ctx)
	if err == nil {
		*k.links = append(*k.links, link)
	}
	return link, err
}
