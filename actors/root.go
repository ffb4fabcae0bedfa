package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// root is the actor at the root of the tree. Its role is called "events".
//
// Owns:    broker, feeds and connections (PIDs).
// Parent:  the actor system's root, or a host's actor.
// Ends:    Close; or when a child failed too often, which ends the System.
type root struct {
	*node
	core        *core
	broker      *actor.PID
	feeds       *actor.PID // nil where every stream has a queue of its own
	connections *actor.PID
	failure     error // why it stops, where a child's end is the reason
}

func newRoot(c *core, n *node) *root { return &root{node: n, core: c} }

// Receive starts the children and passes on what is for them: only the PID of the root is known
// outside, and it stays right when a host restarts the root.
func (r *root) Receive(ctx actor.Context) {
	switch msg := question(ctx.Message()).(type) {
	case *actor.Started:
		r.start(ctx)
	case admit, examine, reconnect, endStreams, sendCustom:
		ctx.Forward(r.connections)
	case drain:
		r.drain(ctx)
	case crash:
		r.crash(ctx, msg)
	case *actor.Terminated:
		r.childStopped(ctx, msg.Who)
	case *actor.Restarting:
		r.core.log.Error("actor failed, the tree starts anew", "role", string(RoleEvents))
		r.ending = true
	case *actor.Stopping:
		r.ending, r.stopping = true, true
	case *actor.Stopped:
		r.unregister()
		r.core.treeEnded(r.failure)
	}
}

func (r *root) start(ctx actor.Context) {
	if r.stopping { // a failure met the stop: the restart that followed must not undo it
		ctx.Stop(ctx.Self())
		return
	}
	c := r.core
	r.setState("running")
	redial := &redialState{} // outlives the broker actor's failures
	r.broker = c.spawn(ctx, r.node, RoleBroker, "", stopAlways, func(n *node) actor.Actor { return newBroker(c, n, redial) })
	if c.options.hasFeeds() {
		r.feeds = c.spawn(ctx, r.node, RoleFeeds, "", stopAlways, func(n *node) actor.Actor { return newFeeds(c, n, r.broker) })
	}
	r.connections = c.spawn(ctx, r.node, RoleConnections, "", stopAlways, func(n *node) actor.Actor {
		return newConnections(c, n, r.broker, r.feeds)
	})
}

func (r *root) drain(ctx actor.Context) {
	if r.feeds != nil {
		ctx.Send(r.feeds, stopLingering{})
	}
	ctx.Forward(r.connections)
}

// childStopped ends the System: without that child it cannot serve, and its owner can open
// another.
func (r *root) childStopped(ctx actor.Context, child *actor.PID) {
	if r.ending {
		return // the child stops because its parent does
	}
	r.failure = fmt.Errorf("the actor %s failed too often", child.Id)
	r.core.draining.Store(true)
	ctx.Stop(ctx.Self())
}

func (r *root) crash(ctx actor.Context, msg crash) {
	switch msg.role {
	case RoleEvents:
		answer(ctx, crashed{})
		panic(requestedFailure(msg.role))
	case RoleBroker:
		ctx.Send(r.broker, fail{role: msg.role})
		answer(ctx, crashed{})
	case RoleFeeds:
		r.crashFeeds(ctx, msg)
	default:
		ctx.Forward(r.connections)
	}
}

func (r *root) crashFeeds(ctx actor.Context, msg crash) {
	if r.feeds == nil {
		answer(ctx, refused{err: errNoSuchActor})
		return
	}
	ctx.Send(r.feeds, fail{role: msg.role})
	answer(ctx, crashed{})
}
