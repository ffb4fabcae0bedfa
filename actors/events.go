package actors

import (
	"fmt"

	"github.com/asynkron/protoactor-go/actor"
)

// events is the root of the tree.
//
// Owns:    broker and connections (PIDs).
// Parent:  the root, or a host's actor.
// Ends:    Close; or when a child failed too often, which ends the System.
type events struct {
	*node
	system      *System
	broker      *actor.PID
	feeds       *actor.PID // nil in dedicated mode
	connections *actor.PID
	failure     error // why it stops, where a child's end is the reason
}

// Receive starts the two children and passes on what is for them: only
// events' own PID is known outside, and it stays right when a host restarts it.
func (e *events) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		e.start(ctx)
	case admit, examine, endStream:
		ctx.Forward(e.connections)
	case drain:
		e.drain(ctx)
	case crash:
		e.crash(ctx, msg)
	case *actor.Terminated:
		e.bereaved(ctx, msg.Who)
	case *actor.Restarting:
		e.system.log.Error("actor failed, the tree starts anew", "role", string(RoleEvents))
		e.ending = true
	case *actor.Stopping:
		e.ending, e.stopping = true, true
	case *actor.Stopped:
		e.leave()
		e.system.ended(e.failure)
	}
}

func (e *events) drain(ctx actor.Context) {
	if e.feeds != nil {
		ctx.Send(e.feeds, hurry{})
	}
	ctx.Forward(e.connections)
}

func (e *events) start(ctx actor.Context) {
	if e.stopping { // a failure met the stop: the restart that followed must not undo it
		ctx.Stop(ctx.Self())
		return
	}
	s := e.system
	e.become("running")
	e.broker = s.spawn(ctx, e.node, RoleBroker, "", stopAlways, func(n *node) actor.Actor { return newBroker(s, n) })
	if s.options.ShareQueues {
		e.feeds = s.spawn(ctx, e.node, RoleFeeds, "", stopAlways, func(n *node) actor.Actor { return newFeeds(s, n, e.broker) })
	}
	e.connections = s.spawn(ctx, e.node, RoleConnections, "", stopAlways, func(n *node) actor.Actor {
		return newConnections(s, n, e.broker, e.feeds)
	})
}

// bereaved: a child is gone for good. Without it the System is of no use, and
// says so by ending; whoever runs it can start another.
func (e *events) bereaved(ctx actor.Context, child *actor.PID) {
	if e.ending {
		return // it is no loss
	}
	e.failure = fmt.Errorf("the actor %s failed too often", child.Id)
	e.system.draining.Store(true)
	ctx.Stop(ctx.Self())
}

func (e *events) crash(ctx actor.Context, msg crash) {
	switch msg.role {
	case RoleEvents:
		answer(ctx, crashed{})
		panic(planted(msg.role))
	case RoleBroker:
		ctx.Send(e.broker, fail{role: msg.role})
		answer(ctx, crashed{})
	case RoleFeeds:
		e.crashFeeds(ctx, msg)
	default:
		ctx.Forward(e.connections)
	}
}

func (e *events) crashFeeds(ctx actor.Context, msg crash) {
	if e.feeds == nil {
		answer(ctx, refused{err: errNoSuchActor})
		return
	}
	ctx.Send(e.feeds, fail{role: msg.role})
	answer(ctx, crashed{})
}

// planted is the reason of a failure that somebody asked for.
func planted(role Role) error {
	return &Error{Code: InternalError, Reason: "A failure was asked for", Cause: fmt.Errorf("crash of %s", role)}
}
