package main

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// The part of all streams that each node has two minutes after a rolling restart, in percent.
const (
	leastShare = 20
	mostShare  = 47
)

// restart: the nodes are restarted one after another, as for an upgrade. Everybody is ready again
// each time; two minutes after the last each of the three nodes has 20 to 47 percent of the
// streams, though the last one has come back with none.
func restart(r *rig) error {
	counts, err := r.start()
	if err != nil {
		return err
	}
	fmt.Printf("restart: streams on the nodes %v before\n", counts)
	begin := time.Now()
	for k, n := range r.cluster.Nodes() {
		if err := n.Restart(r.ctx); err != nil {
			return err
		}
		if err := r.everybody(); err != nil {
			return err
		}
		if counts, err = r.shares(); err != nil {
			return err
		}
		fmt.Printf("  %v after node %d, at %s\n", counts, k, time.Since(begin).Round(time.Second))
	}
	last := time.Now()
	for _, after := range []time.Duration{30, 60, 90, 120} {
		if err := r.pause(time.Until(last.Add(after * time.Second))); err != nil {
			return err
		}
		if counts, err = r.shares(); err != nil {
			return err
		}
		fmt.Printf("  %v %s later\n", counts, after*time.Second)
	}
	if err := r.everybody(); err != nil {
		return err
	}
	r.tellGaps()
	for k, n := range counts {
		if percent := 100 * n / r.streams; percent < leastShare || percent > mostShare {
			return fmt.Errorf("node %d has %d of %d streams, %d %%: not %d to %d %%", k, n, r.streams, percent, leastShare, mostShare)
		}
	}
	return nil
}

// tellGaps prints why the clients' streams have ended, and how long the clients were without.
func (r *rig) tellGaps() {
	all := map[string]times{}
	for _, c := range r.crowd {
		for _, g := range gaps(c) {
			all[g.code] = append(all[g.code], g.to.Sub(g.from))
		}
	}
	for _, code := range slices.Sorted(maps.Keys(all)) {
		fmt.Printf("  %d %s, from the error event to ready again: %s\n", len(all[code]), code, all[code])
	}
}
