package cluster

import (
	"context"
	"io"
	"net/http"
	"strings"
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
	r.publish((victim + 1) % 3)
	r.get(others, 2)
	again := r.newcomers(counts[victim], 10*time.Second)
	r.publish((victim + 2) % 3)
	r.get(again, 1)
	r.must(r.cluster.Rejoin(r.bounded(), victim))
	r.newcomers(10, 10*time.Second)
}

// A42, where a lone node goes on (cluster_partition_handling = ignore, or Khepri): its links stay up,
// and what is published elsewhere does not reach it. Its streams are told within thirty seconds; the others
// get every message; the heartbeat says so; those who were told are ready again on the other nodes,
// and so is everybody who comes while it lasts. After the node's restart it serves again.
func TestA42ALoneNodeThatGoesOnIsFoundBlind(t *testing.T) {
	r := start(t)
	r.must(r.cluster.HandlePartitions(r.bounded(), "ignore"))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		r.must(r.cluster.HandlePartitions(ctx, "pause_minority"))
	})
	streams := r.newcomers(6*perLink, 30*time.Second)
	r.publish(0)
	r.get(streams, 1)
	r.until("every link is watched", func() bool {
		s := r.proxy.System.Stats()
		return s.Links >= 3 && s.LinksWatched == s.Links
	})
	counts := r.on()
	victim := fewest(counts)
	t.Logf("streams on the nodes: %v; node %d is isolated", counts, victim)

	r.must(r.cluster.Isolate(r.bounded(), victim))
	cut := time.Now()
	others := r.told(streams, counts[victim], actors.BrokerLost, 30*time.Second)
	t.Logf("%d streams were told after %s", counts[victim], time.Since(cut).Round(time.Second/10))
	if answer := r.heartbeat(); !strings.Contains(answer, `"blind":1`) {
		t.Errorf("the heartbeat says %s", answer)
	}
	r.publish((victim + 1) % 3)
	r.get(others, 2)
	again := r.newcomers(counts[victim], 10*time.Second)
	r.publish((victim + 2) % 3)
	r.get(others, 3)
	r.get(again, 1)

	r.must(r.cluster.Rejoin(r.bounded(), victim))
	r.must(r.cluster.Node(victim).Restart(r.bounded()))
	r.until("no node is blind, and each has links", func() bool {
		addresses := map[string]bool{}
		for _, l := range r.proxy.System.Links() {
			addresses[l.Address] = true
		}
		return r.proxy.System.Health().Blind == 0 && len(addresses) == 3
	})
	r.newcomers(10, 10*time.Second)
	if n := r.on()[victim]; n < 10 {
		t.Errorf("of ten newcomers %d are on the node that is back and has none", n)
	}
}

// until waits for what no event announces.
func (r *rig) until(what string, is func() bool) {
	r.Helper()
	ticks, ctx := time.NewTicker(20*time.Millisecond), r.bounded()
	defer ticks.Stop()
	for !is() {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			r.Fatalf("not in time: %s; links %+v, stats %+v", what, r.proxy.System.Links(), r.proxy.System.Stats())
		}
	}
}

func (r *rig) heartbeat() string {
	r.Helper()
	answer, err := http.Get(r.proxy.URL + "/__heartbeat__")
	r.must(err)
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	r.must(err)
	if answer.StatusCode != http.StatusOK {
		r.Errorf("the heartbeat is %d while two nodes serve", answer.StatusCode)
	}
	return string(body)
}
