package actors

import (
	"errors"
	"fmt"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// connection is the actor behind one event stream: its life, not its bytes.
// Messages go from the consumer's worker straight into the stream.
//
// Owns:    stream (it alone ends it), consumer (PID), ping timer.
// Parent:  connections; never restarted.
// Ends:    reader gone, consumer failed, stream spoiled, shutdown.
type connection struct {
	*node
	system   *System
	stream   *Stream
	bindings []amqp.Binding
	broker   *actor.PID
	consumer *actor.PID
	ping     *time.Timer
}

// Receive is the table of contents.
func (c *connection) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		c.start(ctx)
	case acquired:
		c.consume(ctx, msg)
	case refused:
		c.finish(ctx, msg.err)
	case subscribed:
		c.become("ready")
		ctx.Request(c.broker, opened{})
	case pingDue:
		c.pingNow(ctx)
	case gone:
		c.become("gone")
		ctx.Stop(ctx.Self())
	case spoiled:
		c.finish(ctx, msg.err)
	case shutdown:
		c.finish(ctx, errShutdown)
	case fail:
		c.crash(ctx, msg)
	case *actor.Terminated:
		c.finish(ctx, &Error{Code: InternalError, Reason: "The stream's consumer ended without a word"})
	case *actor.Stopping:
		c.stopping()
	case *actor.Stopped:
		c.stopped(ctx)
	}
}

func (c *connection) start(ctx actor.Context) {
	c.become("opening")
	c.pingNow(ctx)
	ctx.Request(c.broker, acquire{})
}

// consume: there is room on a link. The consumer does the rest.
func (c *connection) consume(ctx actor.Context, msg acquired) {
	if c.consumer != nil || c.stream.Ended() != nil {
		return
	}
	c.become("subscribing")
	s := c.system
	c.consumer = s.spawn(ctx, c.node, RoleConsumer, c.stream.id, stopAlways, func(n *node) actor.Actor {
		return &consumer{node: n, system: s, link: msg.link, stream: c.stream, bindings: c.bindings}
	})
}

// HandleFailure makes the connection its consumer's supervisor: the failure is
// handled here, in the connection's own turn, and becomes the error event.
func (c *connection) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, _ any) {
	c.childFailed(child, reason)
	c.stream.finish(verdict(reason))
	supervisor.StopChildren(child) // its Terminated ends the connection
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

// finish ends the stream with its code, and then the actor. The first code
// stands.
func (c *connection) finish(ctx actor.Context, err *Error) {
	c.become("ending")
	c.stream.finish(err)
	ctx.Stop(ctx.Self())
}

// pingNow offers a ping, unless events wait anyway: a reader that does not
// read must not collect pings.
func (c *connection) pingNow(ctx actor.Context) {
	if c.stream.idle() {
		c.stream.offer(Ping{Time: time.Now()})
	}
	c.ping = c.system.after(around(c.system.options.PingPeriod), ctx.Self(), pingDue{})
}

func (c *connection) crash(ctx actor.Context, msg fail) {
	if msg.role == RoleConnection {
		panic(planted(msg.role))
	}
	if c.consumer == nil {
		c.finish(ctx, verdict(planted(msg.role))) // what would have failed is not there yet
		return
	}
	ctx.Send(c.consumer, msg)
}

func (c *connection) stopping() {
	if c.ping != nil {
		c.ping.Stop()
	}
	c.stream.finish(&Error{Code: InternalError, Reason: "A defect of this service ended the stream"})
}

func (c *connection) stopped(ctx actor.Context) {
	c.stopping()
	ctx.Request(c.broker, release{})
	c.leave()
}
