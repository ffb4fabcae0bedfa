package actors

import (
	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// consumer is the side of a stream, or of a feed, towards the broker.
//
// Owns:    one worker, the goroutine that holds the AMQP channel and its queue.
// Parent:  connection or feed; never restarted.
// Ends:    with its parent, which cancels the worker; or when the worker has
// exited, by failing with the reason: the parent hears of it as supervisor.
type consumer struct {
	*node
	system   *System
	link     amqp.Link
	tenant   tenant
	sink     sink
	bindings []amqp.Binding
	worker   *worker
}

// Receive is the table of contents.
func (c *consumer) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		c.start(ctx)
	case subscribed:
		c.become("consuming")
		ctx.Send(ctx.Parent(), msg)
	case exited:
		panic(c.reason(msg.err))
	case fail:
		c.crash(msg)
	case *actor.Restarting, *actor.Stopping:
		c.cancel()
	case *actor.Stopped:
		c.cancel()
		c.leave()
	}
}

func (c *consumer) start(ctx actor.Context) {
	c.become("subscribing")
	root, self := c.system.root, ctx.Self()
	c.worker = newWorker(c.system, c.link, c.tenant, c.bindings, c.sink)
	c.worker.report = func(message any) { root.Send(self, message) }
	c.system.startWorker(c.worker)
}

// reason: a worker that exits while its consumer runs was not cancelled.
func (c *consumer) reason(err error) error {
	if err == nil {
		return &Error{Code: InternalError, Reason: "The stream's consumer ended without a word"}
	}
	return err
}

func (c *consumer) crash(msg fail) {
	if msg.role == RoleWorker && c.worker != nil {
		c.worker.crash()
		return
	}
	panic(planted(msg.role))
}

// cancel does not wait: the worker tidies up on its own, and the System knows
// of it until it has.
func (c *consumer) cancel() {
	if c.worker != nil {
		c.worker.cancel()
	}
}
