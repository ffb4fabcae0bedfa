package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// connection is the actor behind one event stream: its life, not its bytes. Messages go from a
// worker straight into the stream.
//
// Owns:    stream (it alone ends it), the timer of pings, and its consumer, unless a feed feeds the
// stream.
// Parent:  connections; never restarted.
// Ends:    reader closed or failed, consumer or feed failed, greatest age, shutdown.
type connection struct {
	*node
	core   *core
	stream *Stream
	source source     // where the stream has a queue of its own
	feeds  *actor.PID // where a feed feeds the stream, else nil
	timers timers
}

// connectionOwner makes a connection the owner of its stream, by messages.
type connectionOwner struct {
	root *actor.RootContext
	pid  *actor.PID
}

func (o connectionOwner) readerClosed()           { o.root.Send(o.pid, closed{}) }
func (o connectionOwner) readerFailed(err *Error) { o.root.Send(o.pid, finish{err: err}) }

// Receive handles what may happen to a stream.
func (c *connection) Receive(ctx actor.Context) {
	switch msg := c.timers.event(ctx.Message()).(type) {
	case *actor.Started:
		c.start(ctx)
	case leased:
		c.consume(ctx, msg)
	case refused:
		c.finish(ctx, msg.err)
	case subscribed:
		c.subscribed()
	case pingDue:
		c.pingNow(ctx)
	case closed:
		c.setState("gone")
		ctx.Stop(ctx.Self())
	case finish:
		c.finish(ctx, msg.err)
	case expire:
		c.finish(ctx, errExpired)
	case shutdown:
		c.finish(ctx, msg.err)
	case fail:
		c.crash(ctx, msg)
	case prove:
		c.source.prove(ctx)
	case *actor.Terminated:
		c.finish(ctx, errConsumerEnded)
	case *actor.Stopping:
		c.stopping()
	case *actor.Stopped:
		c.stopped(ctx)
	}
}

func (c *connection) start(ctx actor.Context) {
	c.setState("opening")
	c.pingNow(ctx)
	if age := c.core.limits().StreamAge; age > 0 {
		c.timers.after(ctx, jitter(age), expire{})
	}
	if c.feeds != nil {
		ctx.Request(c.feeds, attach{stream: c.stream, bindings: c.source.intake.bindings})
		return
	}
	c.source.request(ctx)
}

func (c *connection) consume(ctx actor.Context, msg leased) {
	if c.stream.Ended() == nil {
		c.source.consume(ctx, msg)
	}
}

func (c *connection) subscribed() {
	if c.feeds != nil {
		c.setState("ready")
		return
	}
	c.source.subscribed()
}

// HandleFailure makes the connection its consumer's supervisor: the failure is handled here, in the
// connection's own turn, and becomes the error event.
func (c *connection) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, _ any) {
	c.childFailed(child, reason)
	c.stream.finish(failureOf(reason))
	supervisor.StopChildren(child) // its Terminated ends the connection
}

// finish ends the stream with its code, and then the actor. The first code stands.
func (c *connection) finish(ctx actor.Context, err *Error) {
	c.setState("ending")
	c.stream.finish(err)
	ctx.Stop(ctx.Self())
}

// pingNow offers a ping, unless events wait anyway: a reader that does not read must not collect
// pings.
func (c *connection) pingNow(ctx actor.Context) {
	if c.stream.idle() {
		c.stream.offer(Ping{Time: time.Now()})
	}
	c.timers.after(ctx, jitter(c.core.options.PingPeriod), pingDue{})
}

func (c *connection) crash(ctx actor.Context, msg fail) {
	switch {
	case msg.role == RoleConnection:
		panic(requestedFailure(msg.role))
	case c.feeds != nil:
		ctx.Send(c.feeds, fail{role: msg.role, stream: c.stream})
	case !c.source.crash(ctx, msg):
		c.finish(ctx, failureOf(requestedFailure(msg.role))) // what would have failed is not there yet
	}
}

func (c *connection) stopping() {
	c.timers.stop()
	c.stream.finish(errDefect)
}

func (c *connection) stopped(ctx actor.Context) {
	c.stopping()
	if c.feeds != nil {
		ctx.Request(c.feeds, detach{stream: c.stream})
	} else {
		c.source.release(ctx)
	}
	c.unregister()
}
