package cluster

import (
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// A42, where a lone node pauses (RabbitMQ 3 with pause_minority): when a partition leaves a node
// alone, its streams are told within thirty seconds and the others get every message; those who
// were told are ready again on the other nodes, and the node serves again once it has rejoined.
func TestA42ALoneNodeThatPausesEndsItsStreams(t *testing.T) {
	r := start(t)
	streams := r.newcomers(6*perLink, 30*time.Second)
	r.publish(0)
	r.get(streams, 1)
	counts := r.on()
	victim := fewest(counts)
	t.Logf("streams on the nodes: %v; node %d is isolated", counts, victim)

	r.must(r.cluster.Isolate(r.bounded(), victim))
	others := r.told(streams, counts[victim], actors.BrokerLost, 30*time.Second)
	r.gone(victim, len(others))
	r.publish((victim + 1) % 3)
	r.get(others, 2)
	again := r.newcomers(counts[victim], 10*time.Second)
	r.publish((victim + 2) % 3)
	r.get(again, 1)
	r.must(r.cluster.Rejoin(r.bounded(), victim))
	r.newcomers(10, 10*time.Second)
}
