package faults

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// OfNode lists the faults of one node of a cluster, and what undoes them. In scripts they stand
// after `broker`, followed by the number of the node, from 0 on.
func OfNode() []Fault {
	return []Fault{
		NodeStopped, NodeKilled, NodeStarted, NodeFrozen, NodeThawed, NodeIsolated, NodeRejoined, NodeDrained, NodeRevived,
	}
}

// NodeStopped ends a node in order: it says goodbye to its clients.
var NodeStopped = Fault{"stop", func(ctx context.Context, s Site) error { return s.node().Stop(ctx) }, missing}

// NodeKilled ends a node without a word, as a power cut does.
var NodeKilled = Fault{"kill", func(_ context.Context, s Site) error { return s.node().Kill() }, missing}

// NodeStarted starts it again: it joins the others.
var NodeStarted = Fault{"start", func(ctx context.Context, s Site) error { return s.node().Start(ctx) }, nil}

// NodeFrozen stops a node's process where it stands: its sockets stay open, to clients and to
// the other nodes, and calls that need it are not answered.
var NodeFrozen = Fault{"freeze", func(_ context.Context, s Site) error { return s.node().Freeze() }, func(ctx context.Context, s Site) (Sign, error) {
	s.Node = s.node()
	return stopped(ctx, s)
}}

// NodeThawed lets it go on.
var NodeThawed = Fault{"thaw", func(_ context.Context, s Site) error { return s.node().Thaw() }, nil}

// NodeIsolated cuts a node off from the others: a partition. Clients reach every node.
var NodeIsolated = Fault{"isolate", func(ctx context.Context, s Site) error { return s.Cluster.Isolate(ctx, s.Number) }, missing}

// NodeRejoined mends the partition.
var NodeRejoined = Fault{"rejoin", func(ctx context.Context, s Site) error { return s.Cluster.Rejoin(ctx, s.Number) }, nil}

// NodeDrained puts a node into maintenance, as before an upgrade: it ends its clients'
// connections and takes none.
var NodeDrained = Fault{"drain", func(ctx context.Context, s Site) error { return s.Cluster.Drain(ctx, s.Number) },
	refusing(func(s Site) string { return s.node().Address() })}

// NodeRevived ends the maintenance.
var NodeRevived = Fault{"revive", func(ctx context.Context, s Site) error { return s.Cluster.Revive(ctx, s.Number) }, nil}

// signOfNode is how long the sign of a node that is missed by others is looked for.
const signOfNode = time.Minute

// node is the one that a fault befalls.
func (s Site) node() *rabbit.Node { return s.Cluster.Node(s.Number) }

// errNoOther is returned where no other node could say anything.
var errNoOther = errors.New("no other node answers")

// missing is a sign that another node has lost its link to the node, by its own account.
func missing(ctx context.Context, s Site) (Sign, error) {
	nodes := s.Cluster.Nodes()
	name := s.node().Name()
	for k, witness := range nodes {
		if k == s.Number {
			continue
		}
		if before, err := witness.Peers(ctx); err != nil || !slices.Contains(before, name) {
			continue
		}
		return Kept(func(ctx context.Context) (string, error) {
			now, err := witness.Peers(ctx)
			if err != nil || slices.Contains(now, name) {
				return "", err
			}
			return fmt.Sprintf("node %d has no link to node %d any more, by its own account", k, s.Number), nil
		}, signOfNode), nil
	}
	return nil, errNoOther
}
