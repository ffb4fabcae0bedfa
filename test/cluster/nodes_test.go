package cluster

import (
	"context"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// A40: whatever ends a node, at most the streams of its links are told, within five seconds; the
// others get every message; and those who were told are ready again on the nodes that are left. Once
// the node is back nothing is left of the streams that it had.
func TestA40ANodesEndIsFeltByItsOwnStreamsAlone(t *testing.T) {
	for name, end := range map[string]func(*rig, context.Context, int) error{
		"stopped":   func(r *rig, ctx context.Context, k int) error { return r.cluster.Node(k).Stop(ctx) },
		"killed":    func(r *rig, _ context.Context, k int) error { return r.cluster.Node(k).Kill() },
		"drained":   func(r *rig, ctx context.Context, k int) error { return r.cluster.Drain(ctx, k) },
		"forgotten": func(r *rig, ctx context.Context, k int) error { return r.cluster.Forget(ctx, k) },
	} {
		t.Run(name, func(t *testing.T) {
			r := start(t)
			streams := r.newcomers(6*perLink, 30*time.Second)
			r.publish(0)
			r.get(streams, 1)
			counts := r.on()
			victim := fewest(counts)
			t.Logf("streams on the nodes: %v; node %d goes", counts, victim)

			r.must(end(r, r.bounded(), victim))
			others := r.told(streams, counts[victim], actors.BrokerLost, 5*time.Second)
			r.publish((victim + 1) % 3)
			r.get(others, 2)
			again := r.newcomers(counts[victim], 10*time.Second)
			r.publish((victim + 2) % 3)
			r.get(others, 3)
			r.get(again, 1)

			r.must(r.cluster.Heal(r.bounded()))
			r.left(len(others) + len(again))
		})
	}
}

// left waits until the nodes have the queues of so many streams, but for those that were moved to the
// node that is back, and told. With Khepri, those of a node that was killed are listed until it is
// back: it may only be out of reach.
func (r *rig) left(count int) {
	r.Helper()
	_, err := r.cluster.Node(0).Await(r.bounded(), func(s rabbit.Snapshot) bool {
		stats := r.proxy.System.Stats()
		return s.QueuesOf(queues) == int(stats.Streams) && int(stats.Streams+stats.Moved) == count
	})
	r.must(err)
}

// fewest returns the node with the fewest streams, but some.
func fewest(counts []int) int {
	least := -1
	for k, n := range counts {
		if n > 0 && (least < 0 || n < counts[least]) {
			least = k
		}
	}
	return least
}
