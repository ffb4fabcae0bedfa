package actors

import (
	"github.com/asynkron/protoactor-go/actor"
)

// source is an actor's way to its messages: it asks the broker actor for a lease, spawns the
// consumer that uses it, and supervises that. A connection has one of its own in dedicated mode, a
// feed has one for all its streams.
type source struct {
	core     *core
	node     *node // of the actor that has the source
	broker   *actor.PID
	intake   intake
	beside   bool       // a second channel is needed beside the queue's
	consumer *actor.PID // nil before a lease is granted
}

func (s *source) request(ctx actor.Context) { s.lease(ctx).request(s.intake.bindings, s.beside) }

// consume starts the consumer on a granted lease.
func (s *source) consume(ctx actor.Context, msg leased) {
	if s.consumer != nil {
		return
	}
	s.node.setState("subscribing")
	lease := s.lease(ctx).on(msg)
	s.consumer = s.core.spawn(ctx, s.node, RoleConsumer, s.node.label, stopAlways, func(n *node) actor.Actor {
		return &consumer{node: n, core: s.core, lease: lease, intake: s.intake}
	})
}

func (s *source) lease(ctx actor.Context) lease {
	return lease{root: s.core.rootContext, broker: s.broker, owner: ctx.Self(), node: s.node}
}

// prove has the worker call the broker on its own channel, which shows that its link lives.
func (s *source) prove(ctx actor.Context) {
	if s.consumer != nil {
		ctx.Send(s.consumer, prove{})
	}
}

func (s *source) subscribed() { s.node.setState("ready") }

// release returns a lease that is asked for, or that was granted too late. One that is in use is
// released by its worker.
func (s *source) release(ctx actor.Context) {
	if s.consumer == nil {
		s.lease(ctx).withdraw()
	}
}

// crash makes the consumer or its worker fail. It returns false where there is none yet.
func (s *source) crash(ctx actor.Context, msg fail) bool {
	if s.consumer == nil {
		return false
	}
	ctx.Send(s.consumer, msg)
	return true
}
