package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The tree on one screen: who spawns whom, and what happens when a child
// fails.
//
//	events        restartFew: a failing child is restarted, 3 times in 10 s; then the System ends
//	├─ broker
//	├─ feeds          (shared mode) stopAlways: a failing feed is stopped, its streams told
//	│  └─ feed*           its own strategy (feed.go): the consumer's failure is told to all its streams
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

// supervised is a strategy that keeps the live tree informed.
type supervised struct{ actor.SupervisorStrategy }

// HandleFailure is called in the supervisor's own turn. One that ends has told
// its children to stop; a restart would bring the child back to life, and the
// supervisor would wait for its end for ever.
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

// noder is an actor that has a place in the live tree: all of ours.
type noder interface{ place() *node }

// nodeOf finds the node of the actor behind a supervisor.
func nodeOf(supervisor actor.Supervisor) *node {
	if ctx, ok := supervisor.(interface{ Actor() actor.Actor }); ok {
		if n, ok := ctx.Actor().(noder); ok {
			return n.place()
		}
	}
	return nil
}

// spawn starts a child and gives it a place in the live tree. make builds the
// actor, and again after each restart; it must acquire nothing.
func (s *System) spawn(parent actor.SpawnerContext, above *node, role Role, label string,
	strategy actor.SupervisorStrategy, build func(*node) actor.Actor) *actor.PID {
	n := s.tree.plan(above, role, label)
	pid := parent.SpawnPrefix(actor.PropsFromProducer(
		func() actor.Actor { n.born(); return build(n) },
		actor.WithSupervisor(strategy),
		actor.WithMailbox(actor.UnboundedLockfree(n)),
	), string(role))
	n.enter(pid)
	return pid
}
