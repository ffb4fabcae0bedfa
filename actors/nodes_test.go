package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// onNodes runs a test on a broker of three nodes.
func onNodes(t *testing.T, test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		broker := amqp.NewMemory(amqp.MemoryOptions{Nodes: []string{"a:1", "b:1", "c:1"}})
		test(openOn(t, broker, func(o *actors.Options) { o.Dialer = broker }))
	})
}

// onNode returns the leases of each node's links.
func (f *fixture) onNode() map[string]int {
	leases := map[string]int{}
	for _, l := range f.Snapshot().Links {
		leases[l.Address] += l.Channels
	}
	return leases
}

func (f *fixture) readies(n int) (streams []*actors.Stream) {
	f.t.Helper()
	for range n {
		streams = append(streams, f.ready(task, "#"))
		synctest.Wait()
	}
	return streams
}

// held returns what the broker holds of the proxy's.
func (f *fixture) held() [5]int {
	b := f.broker
	return [...]int{len(b.Queues()), b.Consumers(), b.Bindings(), b.Channels(), b.Links()}
}

// One stream needs no second link. Many have their links at different nodes from the start, each
// with its share: a node's end must not end everything.
func TestStreamsAreSpreadOverTheNodesOfACluster(t *testing.T) {
	onNodes(t, func(f *fixture) {
		f.readies(1)
		if n := f.broker.Links(); n != 1 {
			f.t.Fatalf("%d links for one stream", n)
		}
		f.readies(29)
		leases := f.onNode()
		for _, node := range []string{"a:1", "b:1", "c:1"} {
			if n := leases[node]; n != 10 {
				f.t.Errorf("%d of 30 streams are on %s: %v", n, node, leases)
			}
		}
		pass(5 * time.Minute)
		if n := f.Health().Links; n != 3 {
			f.t.Errorf("%d links after a while", n)
		}
	})
}

// A node's end ends the streams of its links and no others; newcomers go to the other nodes, and to
// that one again once it is back.
func TestANodesEndEndsItsStreamsOnly(t *testing.T) {
	onNodes(t, func(f *fixture) {
		streams := f.readies(30)
		f.broker.StopNode("b:1")
		synctest.Wait()
		ended := 0
		for _, s := range streams {
			if err := s.Ended(); err != nil && err.Code == actors.BrokerLost {
				ended++
			}
		}
		if open := f.Health().Streams; ended != 10 || open != 20 {
			f.t.Fatalf("%d streams are told, %d are open", ended, open)
		}
		f.readies(4)
		if leases := f.onNode(); leases["a:1"] != 12 || leases["c:1"] != 12 {
			f.t.Fatalf("the newcomers are on %v", leases)
		}
		f.broker.StartNode("b:1")
		pass(15 * time.Second)
		f.readies(12)
		if leases := f.onNode(); leases["b:1"] != 12 {
			f.t.Fatalf("once the node is back, the newcomers are on %v", leases)
		}
	})
}

// When at most one stream is left, one link is: what was there to compare the nodes goes at once, and
// the links to further nodes after their rest. Streams that come then are spread again.
func TestOneStreamLeavesOneLinkToTheCluster(t *testing.T) {
	onNodes(t, func(f *fixture) {
		f.readies(1)[0].Close()
		pass(time.Minute)
		before := f.held()
		streams := f.readies(30)
		pass(10 * time.Second)
		if s := f.Stats(); s.Links != 3 || s.LinksWatched != 3 {
			f.t.Fatalf("%d links, %d are watched", s.Links, s.LinksWatched)
		}
		for _, s := range streams[1:] {
			s.Close()
		}
		pass(10 * time.Second)
		if s := f.Stats(); s.Links != 3 || s.LinksWatched != 0 || f.broker.Links() != 3 {
			f.t.Fatalf("%d links before the rest, %d are watched, %d on the broker", s.Links, s.LinksWatched, f.broker.Links())
		}
		pass(19 * time.Second)
		if n := f.Stats().Links; n != 3 {
			f.t.Fatalf("%d links before the rest", n)
		}
		pass(2 * time.Second)
		if n := f.Stats().Links; n != 1 || streams[0].Ended() != nil {
			f.t.Fatalf("%d links after the rest, the last stream has %v", n, streams[0].Ended())
		}
		streams[0].Close()
		pass(time.Minute)
		if after := f.held(); after != before {
			f.t.Fatalf("on the broker are %+v, before %+v", after, before)
		}
		if s := f.Stats(); s.LinksLost != 0 {
			f.t.Fatalf("%d links count as lost", s.LinksLost)
		}
		f.readies(30)
		if leases := f.onNode(); len(leases) != 3 {
			f.t.Fatalf("the next streams are on %v", leases)
		}
	})
}

// Links to further nodes are dialed beside everything else: a node that does not answer delays no
// stream.
func TestAMuteNodeDelaysNoStream(t *testing.T) {
	onNodes(t, func(f *fixture) {
		synctest.Wait()
		var others []string
		for _, node := range f.broker.Addresses(f.t.Context()) {
			if node != f.Snapshot().Links[0].Address {
				others = append(others, node)
			}
		}
		f.broker.MuteNode(others[0])
		f.broker.StopNode(others[1])
		start := time.Now()
		f.readies(30)
		if took := time.Since(start); took != 0 {
			f.t.Fatalf("30 streams took %v", took)
		}
		pass(time.Minute)
		f.broker.StartNode(others[0])
		f.broker.StartNode(others[1])
		pass(30 * time.Second)
		if leases := f.onNode(); len(leases) != 3 {
			f.t.Fatalf("links are at %v", leases)
		}
	})
}
