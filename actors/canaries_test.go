package actors_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// told returns the streams that have ended, and fails unless all of them were told BrokerLost.
func (f *fixture) told(streams []*actors.Stream) (ended []*actors.Stream) {
	f.t.Helper()
	for _, s := range streams {
		if err := s.Ended(); err != nil {
			if err.Code != actors.BrokerLost || !err.Code.Retryable() || err.RetryAfter() == 0 {
				f.t.Fatalf("a stream was told %v", err)
			}
			ended = append(ended, s)
		}
	}
	return ended
}

// blind returns the addresses of the links that an operator sees as blind.
func (f *fixture) blind() (addresses []string) {
	for _, l := range f.Snapshot().Links {
		if l.Blind {
			addresses = append(addresses, l.Address)
		}
	}
	return addresses
}

// A node that a partition leaves alone keeps its links, and nothing published elsewhere reaches
// them. Its streams are told within half a minute, and no others; newcomers go elsewhere; operators
// see it; and once the node hears the others again, it serves streams again.
func TestTheStreamsOfALoneNodeAreTold(t *testing.T) {
	onNodes(t, func(f *fixture) {
		streams := f.readies(30)
		pass(10 * time.Second)
		if s := f.Stats(); s.LinksWatched != 3 || s.NodesBlind != 0 {
			f.t.Fatalf("%d links are watched, %d nodes are blind", s.LinksWatched, s.NodesBlind)
		}
		f.broker.IsolateNode("b:1")
		pass(30 * time.Second)
		ended := f.told(streams)
		if len(ended) != 10 {
			f.t.Fatalf("%d streams were told", len(ended))
		}
		if got := f.blind(); !slices.Equal(got, []string{"b:1"}) || f.Health().Blind != 1 || !f.Health().BrokerUp {
			f.t.Fatalf("%v are shown as blind, health %+v", got, f.Health())
		}
		newcomers, dials := f.readies(12), f.Stats().Dials
		pass(5 * time.Minute)
		if n := f.Stats().Dials - dials; n != 0 {
			f.t.Fatalf("%d dials while a node is blind", n)
		}
		if leases := f.onNode(); leases["b:1"] != 0 || leases["a:1"]+leases["c:1"] != 32 {
			f.t.Fatalf("streams are on %v", leases)
		}
		if len(f.told(streams)) != 10 || len(f.told(newcomers)) != 0 {
			f.t.Fatal("streams of other nodes were told")
		}
		f.broker.StartNode("b:1")
		pass(30 * time.Second)
		if got := f.blind(); got != nil || f.Health().Blind != 0 {
			f.t.Fatalf("%v are still shown as blind", got)
		}
		f.readies(6)
		if leases := f.onNode(); leases["b:1"] < 6 {
			f.t.Fatalf("the newcomers are on %v", leases)
		}
	})
}

// While a node is blind, the links that show it stay though there are no streams, so that newcomers
// are kept from it; they are closed when it hears the others again.
func TestABlindNodeIsWatchedWithoutStreams(t *testing.T) {
	onNodes(t, func(f *fixture) {
		streams := f.readies(30)
		pass(10 * time.Second)
		f.broker.IsolateNode("b:1")
		pass(30 * time.Second)
		for _, s := range streams {
			s.Close()
		}
		pass(5 * time.Minute)
		if got := f.blind(); !slices.Equal(got, []string{"b:1"}) || f.Stats().Links != 3 {
			f.t.Fatalf("%v are shown as blind, %d links", got, f.Stats().Links)
		}
		f.broker.StartNode("b:1")
		pass(2 * time.Minute)
		if s := f.Stats(); s.Links != 1 || s.NodesBlind != 0 {
			f.t.Fatalf("%d links, %d nodes are blind", s.Links, s.NodesBlind)
		}
	})
}

// While a node is blind it is not dialed: not when a link to it is lost (but for one that serves no
// stream, and shows whether the node hears again), and not by what is tried on a link without
// streams.
func TestABlindNodeGetsNoStreamWhenItsLinkIsMadeAnew(t *testing.T) {
	onNodes(t, func(f *fixture) {
		f.readies(30)
		pass(10 * time.Second)
		f.broker.IsolateNode("b:1")
		pass(30 * time.Second)
		f.broker.StopNode("b:1")
		synctest.Wait()
		f.broker.StartNode("b:1")
		f.broker.IsolateNode("b:1")
		var newcomers []*actors.Stream
		for range 100 {
			pass(time.Second)
			newcomers = append(newcomers, f.readies(1)...)
		}
		if leases := f.onNode(); leases["b:1"] != 0 || len(f.told(newcomers)) != 0 {
			f.t.Fatalf("streams are on %v, %d were told", leases, len(f.told(newcomers)))
		}
		f.broker.StartNode("b:1")
		pass(time.Minute)
		f.readies(5)
		if leases := f.onNode(); leases["b:1"] < 5 {
			f.t.Fatalf("after the partition streams are on %v", leases)
		}
	})
}

// A blind node that is started anew is heard again, however long it took and however many channels
// there were: where no channel is known to be free for its canaries, one is looked for.
func TestABlindNodeThatIsStartedAnewIsUsedAgain(t *testing.T) {
	for _, away := range []time.Duration{0, 20 * time.Second, time.Minute} {
		t.Run(fmt.Sprint(away), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				broker := amqp.NewMemory(amqp.MemoryOptions{Nodes: []string{"a:1", "b:1", "c:1"}})
				f := openOn(t, broker, func(o *actors.Options) {
					o.Dialer, o.NoScouts, o.Limits.ChannelsPerLink = broker, false, 10
				})
				var streams []*actors.Stream
				for range 60 {
					streams = append(streams, f.connect(task, "#"))
				}
				pass(10 * time.Second)
				f.broker.IsolateNode("b:1")
				pass(12 * time.Second)
				for range f.told(streams) {
					f.connect(task, "#")
				}
				pass(time.Second)
				f.broker.StopNode("b:1")
				pass(away)
				f.broker.StartNode("b:1")
				pass(2 * time.Minute)
				if s := f.Stats(); f.blind() != nil || s.NodesBlind != 0 || s.LinksWatched != s.Links {
					t.Fatalf("%v are shown as blind; %d of %d links are watched", f.blind(), s.LinksWatched, s.Links)
				}
			})
		})
	}
}

// Of two nodes that do not hear each other neither can be known to be the lone one. All processes
// keep the same one; nothing is kept of the service if both are left.
func TestOfTwoNodesTheFirstIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory(amqp.MemoryOptions{Nodes: []string{"a:1", "b:1"}})
		f := openOn(t, broker, func(o *actors.Options) { o.Dialer = broker })
		streams := f.readies(20)
		pass(10 * time.Second)
		f.broker.IsolateNode("a:1")
		pass(30 * time.Second)
		if got := f.blind(); !slices.Equal(got, []string{"b:1"}) || len(f.told(streams)) != 10 {
			t.Fatalf("%v are blind, %d streams were told", got, len(f.told(streams)))
		}
		f.readies(10)
	})
}

// The third node comes back while the other two are apart: it decides which of them is alone.
func TestAThirdNodeDecides(t *testing.T) {
	onNodes(t, func(f *fixture) {
		f.broker.StopNode("c:1")
		f.readies(20)
		pass(10 * time.Second)
		f.broker.IsolateNode("a:1")
		f.broker.StartNode("c:1")
		pass(40 * time.Second)
		if got := f.blind(); !slices.Equal(got, []string{"a:1"}) {
			f.t.Fatalf("%v are blind", got)
		}
	})
}

// When all other nodes are gone, the last one serves streams, whatever was found before.
func TestTheLastNodeIsUsedThoughItWasBlind(t *testing.T) {
	onNodes(t, func(f *fixture) {
		f.readies(9)
		pass(10 * time.Second)
		f.broker.IsolateNode("b:1")
		pass(30 * time.Second)
		f.broker.StopNode("a:1")
		f.broker.StopNode("c:1")
		pass(time.Minute)
		f.readies(3)
	})
	onNodes(t, func(f *fixture) { // its link is lost, too
		f.readies(9)
		pass(10 * time.Second)
		f.broker.IsolateNode("b:1")
		pass(30 * time.Second)
		for _, node := range []string{"a:1", "b:1", "c:1"} {
			f.broker.StopNode(node)
		}
		f.broker.StartNode("b:1")
		pass(time.Minute)
		f.readies(3)
	})
}

// A broker with an alarm takes no message of anybody. Nothing is blind for that.
func TestBlockedPublishersAreNotBlindness(t *testing.T) {
	onNodes(t, func(f *fixture) {
		streams := f.readies(30)
		pass(10 * time.Second)
		f.broker.BlockPublishers(true)
		pass(5 * time.Minute)
		f.broker.BlockPublishers(false)
		pass(time.Minute)
		if ended := f.told(streams); len(ended) != 0 || f.blind() != nil {
			f.t.Fatalf("%d streams were told, %v are blind", len(ended), f.blind())
		}
		f.broker.IsolateNode("b:1")
		pass(30 * time.Second)
		if len(f.told(streams)) != 10 {
			f.t.Fatal("after an alarm a lone node is not noticed")
		}
	})
}

// What an administrator deletes of the canaries' own ends no stream, and is made again.
func TestCanariesAreMadeAgain(t *testing.T) {
	onNodes(t, func(f *fixture) {
		streams := f.readies(30)
		pass(10 * time.Second)
		for _, name := range f.broker.Queues() {
			if strings.HasPrefix(name, "queue/tester/canary/") {
				f.broker.DeleteQueue(name)
			}
		}
		pass(time.Minute)
		for _, name := range f.broker.Exchanges() {
			if strings.HasPrefix(name, "exchange/tester/canary/") {
				if err := f.pub.Delete(bounded(f.t), name); err != nil {
					f.t.Fatal(err)
				}
			}
		}
		pass(time.Minute)
		if ended := f.told(streams); len(ended) != 0 {
			f.t.Fatalf("%d streams were told", len(ended))
		}
		f.broker.IsolateNode("b:1")
		pass(30 * time.Second)
		if len(f.told(streams)) != 10 {
			f.t.Fatal("then a lone node is not noticed")
		}
	})
}

// A user who may not use such an exchange is served without canaries; the log says so once, and
// nothing is left at the broker.
func TestWithoutRightsForCanariesTheLogSaysSoOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		broker := amqp.NewMemory(amqp.MemoryOptions{
			Nodes:    []string{"a:1", "b:1", "c:1"},
			Readable: func(exchange string) bool { return !strings.HasPrefix(exchange, "exchange/tester/") },
		})
		f := openOn(t, broker, func(o *actors.Options) {
			o.Dialer, o.Logger = broker, slog.New(slog.NewTextHandler(&log, nil))
		})
		streams := f.readies(9)
		pass(time.Hour)
		if got := strings.Count(log.String(), "cluster_partition_handling"); got != 1 {
			t.Fatalf("said %d times:\n%s", got, log.String())
		}
		if len(f.told(streams)) != 0 || f.Stats().LinksWatched != 0 || f.broker.Channels() != 9 || len(f.broker.Exchanges()) != 1 {
			t.Fatalf("%d channels for 9 streams, exchanges %v", f.broker.Channels(), f.broker.Exchanges())
		}
	})
}

// Canaries take channels, which a user may have few of: every one that streams want is theirs.
func TestCanariesCostNoStreamItsChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory(amqp.MemoryOptions{Nodes: []string{"a:1", "b:1", "c:1"}})
		broker.LimitChannels(24)
		f := openOn(t, broker, func(o *actors.Options) { o.Dialer, o.NoScouts = broker, false })
		streams := f.readies(2)
		pass(time.Minute)
		if n := f.Stats().LinksWatched; n != 3 {
			t.Fatalf("%d links are watched", n)
		}
		for len(streams) < 24 {
			streams = append(streams, f.readies(1)...)
			pass(4 * time.Second)
		}
		pass(5 * time.Minute)
		if ended := f.told(streams); len(ended) != 0 {
			t.Fatalf("%d of 24 streams were told", len(ended))
		}
		for _, s := range streams[:20] {
			s.Close()
		}
		pass(5 * time.Minute)
		if n := f.Stats().LinksWatched; n != 3 {
			t.Fatalf("with room again %d links are watched", n)
		}
	})
}

// A link that negotiates as few channels as streams may have has none for a canary.
func TestALinkWithFewChannelsHasNoCanary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory(amqp.MemoryOptions{Nodes: []string{"a:1", "b:1", "c:1"}, ChannelsPerLink: 5})
		f := openOn(t, broker, func(o *actors.Options) { o.Dialer = broker })
		f.readies(3)
		pass(time.Minute)
		if n := broker.Channels(); n != 3 {
			t.Fatalf("%d channels for 3 streams", n)
		}
		f.readies(17)
	})
}
