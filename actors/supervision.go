package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The tree on one screen: who spawns whom, and what happens when a child
// fails.
//
//	root          restartFew: a failing child is restarted, 3 times in 10 s; then the System ends
//	├─ broker
//	├─ feeds          (shared queues, routed exchanges) stopAlways: a failing feed is stopped, its streams told
//	│  └─ feed*           its own strategy (feed_queue.go): the consumer's failure is told to all its streams
//	│     └─ consumer*
//	└─ connections    stopAlways: a failing connection is stopped, its stream told InternalError
//	   └─ connection*     its own strategy (connection.go): the consumer's failure becomes the error event
//	      └─ consumer*
//
// Nothing below connections is ever restarted: a stream belongs to one reader,
// and a second life could only lose messages unsaid.
var (
	restartFew = supervised{actor.NewOneForOneStrategy(3, 10*time.Second, func(any) actor.Directive { return actor.RestartDirective })}
	stopAlways = supervised{actor.NewOneForOneStrategy(0, 0, func(any) actor.Directive { return actor.StopDirective })}
)

// supervised is a strategy that keeps the registry informed.
type supervised struct{ actor.SupervisorStrategy }

// HandleFailure is called in the supervisor's own turn. A supervisor that ends has told its
// children to stop; a restart would bring the child back to life, and the supervisor would wait for
// its end for ever.
func (s supervised) HandleFailure(system *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	stats *actor.RestartStatistics, reason, message any) {
	if n := nodeOf(supervisor); n != nil {
		n.childFailed(child, reason)
		if n.ending {
			supervisor.StopChildren(child)
			return
		}
	}
	s.SupervisorStrategy.HandleFailure(system, supervisor, child, stats, reason, message)
}

// nodeOf returns the node of the actor behind a supervisor, nil where it is none of ours.
func nodeOf(supervisor actor.Supervisor) *node {
	if ctx, ok := supervisor.(interface{ Actor() actor.Actor }); ok {
		if a, ok := ctx.Actor().(interface{ ownNode() *node }); ok {
			return a.ownNode()
		}
	}
	return nil
}

// spawn starts a child of parent, whose node is above (nil for the root), registers it and returns
// its PID. build returns a new instance of the actor: at the start, and after each restart. It must
// acquire nothing.
func (c *core) spawn(parent actor.SpawnerContext, above *node, role Role, label string,
	strategy actor.SupervisorStrategy, build func(*node) actor.Actor) *actor.PID {
	n := c.nodes.newNode(above, role, label)
	pid := parent.SpawnPrefix(actor.PropsFromProducer(
		func() actor.Actor { n.countInstance(); return build(n) },
		actor.WithSupervisor(strategy),
		actor.WithMailbox(actor.UnboundedLockfree(n)),
	), string(role))
	n.register(pid)
	return pid
}
