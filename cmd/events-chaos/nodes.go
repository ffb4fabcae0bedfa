package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/random"
	"github.com/taskcluster/events-proxy/test/script"
)

// The harms of a random run on a cluster: something happens to one node, and is undone after a
// while. One node at a time, so that the others are a majority.

// nodeHarm is one way.
type nodeHarm struct {
	name       string
	says       string // what it does, for the readers of a report
	does, undo faults.Fault
	lasts      time.Duration
	quiet      time.Duration // in which nothing else befalls everyone
}

func nodeHarms() []nodeHarm {
	return []nodeHarm{
		{"node stopped", "a node of the cluster stops in order, and starts again", faults.NodeStopped, faults.NodeStarted, 3 * time.Second, 15 * time.Second},
		{"node killed", "a node of the cluster is killed, and starts again", faults.NodeKilled, faults.NodeStarted, 3 * time.Second, 15 * time.Second},
		{"node frozen", "a node of the cluster stands still, and goes on", faults.NodeFrozen, faults.NodeThawed, 15 * time.Second, 25 * time.Second}, // longer than two heartbeats
		{"node isolated", "a node of the cluster reaches no other one, and rejoins", faults.NodeIsolated, faults.NodeRejoined, 8 * time.Second, 20 * time.Second},
		{"node drained", "a node of the cluster goes into maintenance, and comes back", faults.NodeDrained, faults.NodeRevived, 5 * time.Second, 10 * time.Second},
	}
}

const (
	// nodeEvery is the least time between two harms of a kind.
	nodeEvery = 45 * time.Second
	// nodeSignPatience is how long the signs of all harms are looked for: a worker whose call waits for
	// a frozen node fails, as was asked, when that is answered or given up.
	nodeSignPatience = 30 * time.Second
	// undoTimeout bounds one try to harm a node, or to undo that: a node has to start for it, on a
	// machine that has other things to do.
	undoTimeout = time.Minute
	// undoTries is how often that is tried.
	undoTries = 3
	// nodePatience is how long it may take until all is well again: the node first, then the streams.
	nodePatience = undoTries*undoTimeout + time.Minute
)

// nodes harms the nodes of a cluster in turn.
type nodes struct {
	count int
	fault map[string]script.Fault // by the word in a script, such as "stop 2"

	// move has the run's messages published through one node. A node on the lone side of a
	// partition confirms, for a moment, what reaches no queue on the other side: a publisher
	// there knows nothing, and what it was told is not held against the proxy.
	move func(node int) error

	mu    sync.Mutex
	next  int   // node
	under error // what the last harm waits for; nil: it is over
}

// harms returns those of a run.
func (n *nodes) harms() (list []random.Harm) {
	for _, h := range nodeHarms() {
		list = append(list, random.Harm{
			Name: h.name, Does: h.says, Every: nodeEvery, Quiet: h.quiet, Scope: random.Everyone, SignPatience: time.Minute,
			Codes: []actors.Code{actors.BrokerLost, actors.BrokerUnavailable, actors.QueueDeleted},
			Late:  moved, // a node that is back gets streams again
			Watch: func(ctx context.Context) (faults.Sign, error) { return n.watch(ctx, h) },
			Do:    func(ctx context.Context, _ random.Victim) error { return n.do(ctx, h) },
			Over: func(context.Context, time.Time) error {
				n.mu.Lock()
				defer n.mu.Unlock()
				return n.under
			},
		})
	}
	return list
}

// watch takes the next node in turn, and prepares to see what happens to it.
func (n *nodes) watch(ctx context.Context, h nodeHarm) (faults.Sign, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.under != nil {
		return nil, errors.New("another node is harmed")
	}
	n.next = (n.next + 1) % n.count
	return n.fault[fmt.Sprint(h.does.Name, " ", n.next)].Watch(ctx)
}

// do harms that node, and has it undone after a while.
func (n *nodes) do(ctx context.Context, h nodeHarm) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	number := n.next
	n.under = fmt.Errorf("node %d is harmed: %s", number, h.name)
	if err := n.move((number + 1) % n.count); err != nil {
		n.under = nil
		return err
	}
	harming, cancel := context.WithTimeout(ctx, undoTimeout)
	defer cancel()
	err := n.fault[fmt.Sprint(h.does.Name, " ", number)].Happen(harming)
	time.AfterFunc(h.lasts, func() {
		failed := undo(n.fault[fmt.Sprint(h.undo.Name, " ", number)])
		n.mu.Lock()
		defer n.mu.Unlock()
		if n.under = failed; failed != nil {
			n.under = fmt.Errorf("node %d: %s: %w", number, h.undo.Name, failed)
		}
	})
	return err
}

// undo tries a few times: a node that starts while another one is busy may fail to.
func undo(fault script.Fault) (err error) {
	for range undoTries {
		ctx, cancel := context.WithTimeout(context.Background(), undoTimeout)
		err = fault.Happen(ctx)
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("%d tries; the last: %w", undoTries, err)
}
