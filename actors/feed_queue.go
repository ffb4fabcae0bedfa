package actors

import (
	"github.com/asynkron/protoactor-go/actor"
)

// feedQueue is what both kinds of feeds have: one queue, and the streams that end with it.
type feedQueue struct {
	*node
	source source
	why    *Error // why the consumer failed
}

// receive handles what may happen to the queue.
func (q *feedQueue) receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case leased:
		q.source.consume(ctx, msg)
	case refused:
		q.fail(ctx, msg.err)
	case finish:
		q.fail(ctx, msg.err)
	case prove:
		q.source.prove(ctx)
	case fail:
		q.crash(ctx, msg) // in the feed itself, or further down
	case *actor.Terminated:
		q.childStopped(ctx)
	case *actor.Stopped:
		q.source.release(ctx)
		q.unregister()
	}
}

// open asks for a channel.
func (q *feedQueue) open(ctx actor.Context) {
	q.setState("opening")
	q.source.request(ctx)
}

// HandleFailure makes the feed its consumer's supervisor.
func (q *feedQueue) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, _ any) {
	q.childFailed(child, reason)
	q.why = failureOf(reason)
	supervisor.StopChildren(child) // its Terminated ends the feed
}

// childStopped: the consumer has ended.
func (q *feedQueue) childStopped(ctx actor.Context) {
	if q.why == nil {
		q.why = errConsumerEnded
	}
	q.fail(ctx, q.why)
}

// fail notifies feeds, which notifies every attached connection and ends this actor.
func (q *feedQueue) fail(ctx actor.Context, err *Error) {
	q.setState("ending")
	ctx.Request(ctx.Parent(), failed{err: err})
}

func (q *feedQueue) crash(ctx actor.Context, msg fail) {
	if msg.role == RoleFeed {
		panic(requestedFailure(msg.role))
	}
	if !q.source.crash(ctx, msg) {
		q.fail(ctx, failureOf(requestedFailure(msg.role)))
	}
}
