package actors

import (
	"github.com/asynkron/protoactor-go/actor"
)

// consumer is the side of a stream, or of a feed, towards the broker.
//
// Owns:    one worker, the goroutine that holds the AMQP channel and its queue.
// Parent:  connection or feed; never restarted.
// Ends:    with its parent, which cancels the worker; or when the worker has exited, by failing
// with the reason: the parent hears of it as supervisor.
type consumer struct {
	*node
	core   *core
	lease  lease
	intake intake
	worker *worker
}

// Receive handles the worker's reports.
func (c *consumer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		c.start(ctx)
	case subscribed:
		c.setState("consuming")
		ctx.Send(ctx.Parent(), msg)
	case exited:
		panic(exitFailure(msg.err))
	case prove:
		c.worker.prove()
	case fail:
		c.crash(msg)
	case *actor.Restarting, *actor.Stopping:
		c.cancel()
	case *actor.Stopped:
		c.cancel()
		c.unregister()
	}
}

func (c *consumer) start(ctx actor.Context) {
	c.setState("subscribing")
	root, self := c.core.rootContext, ctx.Self()
	c.worker = newWorker(c.core, c.lease, c.intake)
	c.worker.report = func(message any) { root.Send(self, message) }
	c.worker.start()
}

func (c *consumer) crash(msg fail) {
	if msg.role == RoleWorker && c.worker != nil {
		c.worker.crash()
		return
	}
	panic(requestedFailure(msg.role))
}

// cancel does not wait: the worker closes its channel by itself, and the core counts it until then.
func (c *consumer) cancel() {
	if c.worker != nil {
		c.worker.cancel()
	}
}
