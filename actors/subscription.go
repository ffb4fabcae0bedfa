package actors

import (
	"errors"
	"fmt"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// subscription is one actor's way to a queue: it asks the broker actor for a
// channel, spawns the consumer that uses it, and supervises that. A connection
// has one of its own in dedicated mode, a feed has one for all its streams.
type subscription struct {
	system   *System
	node     *node // of the actor that has the subscription
	broker   *actor.PID
	bindings []amqp.Binding
	sink     sink
	consumer *actor.PID // nil before there is a channel
}

// sink is where a worker's deliveries go. It never waits.
type sink interface {
	// ready: every binding is in place. It comes once, before any message.
	ready(w *worker)
	// deliver hands one message on.
	deliver(m *Message)
	// crowded tells whether the readers cannot take more at present, so that
	// the broker should keep what it has.
	crowded() bool
}

func (s *subscription) ask(ctx actor.Context) { ctx.Request(s.broker, acquire{}) }

// consume: there is room on a link. The consumer does the rest.
func (s *subscription) consume(ctx actor.Context, msg acquired) {
	if s.consumer != nil {
		return
	}
	s.node.become("subscribing")
	tenant := s.tenant(ctx)
	s.consumer = s.system.spawn(ctx, s.node, RoleConsumer, s.node.label, stopAlways, func(n *node) actor.Actor {
		return &consumer{node: n, system: s.system, link: msg.link, tenant: tenant, sink: s.sink, bindings: s.bindings}
	})
}

func (s *subscription) tenant(ctx actor.Context) tenant {
	return tenant{root: s.system.root, broker: s.broker, holder: ctx.Self()}
}

func (s *subscription) subscribed() { s.node.become("ready") }

// release gives the place in the queue back, or the channel that came too
// late. One that is in use is its worker's to release.
func (s *subscription) release(ctx actor.Context) {
	if s.consumer == nil {
		s.tenant(ctx).release()
	}
}

// crash makes the consumer or its worker fail; false where there is none yet.
func (s *subscription) crash(ctx actor.Context, msg fail) bool {
	if s.consumer == nil {
		return false
	}
	ctx.Send(s.consumer, msg)
	return true
}

// verdict is what a client is told of a failure.
func verdict(reason any) *Error {
	err, ok := reason.(error)
	if !ok {
		err = fmt.Errorf("panic: %v", reason)
	}
	var told *Error
	if errors.As(err, &told) {
		return told
	}
	return &Error{Code: InternalError, Reason: "A defect of this service ended the stream", Cause: err}
}
