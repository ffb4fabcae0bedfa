package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// persistent opens streams anew as they end, for so long, as clients do.
func (f *fixture) persistent(streams []*actors.Stream, d time.Duration) {
	f.t.Helper()
	for range int(d / time.Second) {
		pass(time.Second)
		for i, s := range streams {
			if s.Ended() != nil {
				streams[i] = f.ready(task, "#")
			}
		}
	}
	synctest.Wait()
}

// rollingRestart restarts each node in turn.
func (f *fixture) rollingRestart(streams []*actors.Stream) {
	for _, node := range []string{"a:1", "b:1", "c:1"} {
		f.broker.StopNode(node)
		f.persistent(streams, 10*time.Second)
		f.broker.StartNode(node)
		f.persistent(streams, 30*time.Second)
	}
}

// Two minutes after a rolling restart each node has 20 to 47 percent of the streams. Without that
// the node that was the last has none: open streams stay where they are.
func TestAfterARollingRestartEachNodeHasItsShare(t *testing.T) {
	for _, still := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			broker := amqp.NewMemory(amqp.MemoryOptions{Nodes: []string{"a:1", "b:1", "c:1"}})
			f := openOn(t, broker, func(o *actors.Options) { o.Dialer, o.NoRebalance = broker, still })
			streams := f.readies(90)
			f.rollingRestart(streams)
			f.persistent(streams, 2*time.Minute)
			leases := f.onNode()
			t.Logf("still %v: %v, %d were moved", still, leases, f.Stats().Moved)
			for _, node := range []string{"a:1", "b:1", "c:1"} {
				percent := 100 * leases[node] / 90
				if inRange := percent >= 20 && percent <= 47; !still && !inRange {
					t.Errorf("%s has %d %% of the streams: %v", node, percent, leases)
				}
			}
			if still && (f.Stats().Moved != 0 || leases["c:1"] != 0) {
				t.Errorf("streams were moved: %v", leases)
			}
		})
	}
}

// Streams are ended a few at a time, with a code that may be tried again at once; what is even, or
// small, is left alone, and so is everything while nodes come and go.
func TestStreamsAreMovedAFewAtATime(t *testing.T) {
	onNodes(t, func(f *fixture) {
		streams := f.readies(300)
		pass(10 * time.Minute)
		f.broker.StopNode("c:1")
		f.persistent(streams, 30*time.Second)
		f.broker.StartNode("c:1")
		f.persistent(streams, 15*time.Second)
		if n := f.Stats().Moved; n != 0 {
			f.t.Fatalf("%d streams were moved too early", n)
		}
		for last := int64(0); ; {
			pass(time.Second)
			moved := f.Stats().Moved
			if moved > last+3 {
				f.t.Fatalf("%d of 300 streams were moved within a second", moved-last)
			}
			last = moved
			for i, s := range streams {
				if err := s.Ended(); err != nil {
					if err.Code != actors.StreamExpired || err.RetryAfter() > 2*time.Second {
						f.t.Fatalf("a stream was told %v", err)
					}
					streams[i] = f.ready(task, "#")
				}
			}
			if leases := f.onNode(); leases["c:1"] >= 60 && leases["a:1"] <= 141 && leases["b:1"] <= 141 {
				break
			}
			if moved > 100 {
				f.t.Fatalf("%d streams were moved, and nodes have %v", moved, f.onNode())
			}
		}
		f.persistent(streams, time.Minute)
		even := f.Stats().Moved
		f.persistent(streams, 10*time.Minute)
		if n := f.Stats().Moved; n != even {
			f.t.Fatalf("%d streams were moved though nodes have their shares: %v", n-even, f.onNode())
		}
	})
}

// A node that is back gets its share within a minute, however many links it needs for that: these come
// one by one, as streams are moved to it, and put the next ones not off.
func TestTheLinksThatMovedStreamsNeedPutNothingOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory(amqp.MemoryOptions{Nodes: []string{"a:1", "b:1", "c:1"}})
		f := openOn(t, broker, func(o *actors.Options) { o.Dialer, o.Limits.ChannelsPerLink = broker, 5 })
		streams := f.readies(90)
		f.broker.StopNode("c:1")
		f.persistent(streams, 30*time.Second)
		f.broker.StartNode("c:1")
		f.persistent(streams, time.Minute)
		leases := f.onNode()
		t.Logf("%v, %d were moved", leases, f.Stats().Moved)
		if percent := 100 * leases["c:1"] / 90; percent < 20 {
			t.Errorf("the node that is back has %d %% of the streams: %v", percent, leases)
		}
	})
}

// A link that is full is no reason for a node to have less than others: it gets another one.
func TestEachNodeGetsTheLinksThatItsShareNeeds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory(amqp.MemoryOptions{Nodes: []string{"a:1", "b:1", "c:1"}})
		f := openOn(t, broker, func(o *actors.Options) { o.Dialer, o.Limits.ChannelsPerLink = broker, 10 })
		for range 40 {
			f.readies(1)
			pass(time.Second)
		}
		for node, n := range f.onNode() {
			if n < 13 || n > 14 {
				t.Errorf("%s has %d of 40 streams", node, n)
			}
		}
	})
}
