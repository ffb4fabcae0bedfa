package cluster

import (
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/test/clients"
)

// A41: while a node is frozen, the streams on other nodes miss nothing, and newcomers are ready or
// told within eleven seconds; after the thaw newcomers are ready within ten, without a restart.
func TestA41AFrozenNodeKeepsNobodyInTheDark(t *testing.T) {
	r := start(t)
	streams := r.newcomers(6*perLink, 30*time.Second)
	counts := r.on()
	victim := fewest(counts)
	elsewhere := len(streams) - counts[victim]
	publisher := r.publisher((victim + 1) % 3)
	r.must(r.send(r.bounded(), publisher))
	r.get(streams, 1)
	t.Logf("streams on the nodes: %v; node %d freezes", counts, victim)

	r.must(r.cluster.Node(victim).Freeze())
	newcomers := r.open(10)
	r.sendUnconfirmed(publisher)
	r.atLeast(streams, elsewhere, 2)
	var last time.Duration
	for _, s := range newcomers {
		last = max(last, r.within(11*time.Second, s))
	}
	t.Logf("the last of %d newcomers is ready, or told, after %s", len(newcomers), last)
	r.must(r.cluster.Node(victim).Thaw())
	r.newcomers(10, 10*time.Second)
}

// within fails unless the stream is ready, or told why not, within the limit since it was opened. It
// returns when that was.
func (r *rig) within(limit time.Duration, s *clients.Stream) (at time.Duration) {
	r.Helper()
	code, err := outcome(r.bounded(), s)
	if err != nil {
		r.Fatalf("%v\n%s", err, s.Received())
	}
	for _, e := range s.Received().Events {
		if e.Name == "ready" || e.Name == "error" {
			at = e.At
		}
	}
	if at > limit {
		r.Errorf("ready, or told %q, after %s", code, at)
	}
	return at
}
