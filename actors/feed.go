package actors

import (
	"github.com/asynkron/protoactor-go/actor"
)

// feed is one queue for all streams with equal bindings (shared mode).
//
// Owns:    its consumer, and the hub that its worker delivers to.
// Parent:  feeds; never restarted.
// Ends:    its consumer failed, or feeds stops it when no stream is attached.
type feed struct {
	*node
	hub     *hub
	source  source
	waiting map[*Stream]*actor.PID // whose connections are to hear of ready
	why     *Error                 // why the consumer failed
}

// Receive handles the consumer and the streams that come and go.
func (f *feed) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		f.setState("opening")
		f.source.request(ctx)
	case attach:
		f.attach(ctx, msg)
	case detach:
		f.hub.detach(msg.stream)
		f.attached.Add(-1)
		delete(f.waiting, msg.stream)
	case leased:
		f.source.consume(ctx, msg)
	case refused:
		f.fail(ctx, msg.err)
	case finish:
		f.fail(ctx, msg.err)
	case subscribed:
		f.subscribed(ctx)
	case fail:
		f.crash(ctx, msg) // in the feed itself, or further down
	case *actor.Terminated:
		f.childStopped(ctx)
	case *actor.Stopped:
		f.source.release(ctx)
		f.unregister()
	}
}

func (f *feed) attach(ctx actor.Context, msg attach) {
	f.attached.Add(1)
	if f.hub.attach(msg.stream) {
		ctx.Send(ctx.Sender(), subscribed{})
		return
	}
	f.waiting[msg.stream] = ctx.Sender()
}

// subscribed: the hub has told the streams, now their connections hear of it.
func (f *feed) subscribed(ctx actor.Context) {
	f.source.subscribed()
	for _, connection := range f.waiting {
		ctx.Send(connection, subscribed{})
	}
	f.waiting = map[*Stream]*actor.PID{}
}

// HandleFailure makes the feed its consumer's supervisor.
func (f *feed) HandleFailure(_ *actor.ActorSystem, supervisor actor.Supervisor, child *actor.PID,
	_ *actor.RestartStatistics, reason, _ any) {
	f.childFailed(child, reason)
	f.why = failureOf(reason)
	supervisor.StopChildren(child) // its Terminated ends the feed
}

// childStopped: the consumer has ended.
func (f *feed) childStopped(ctx actor.Context) {
	if f.why == nil {
		f.why = errConsumerEnded
	}
	f.fail(ctx, f.why)
}

// fail notifies feeds, which notifies every attached connection and ends this actor.
func (f *feed) fail(ctx actor.Context, err *Error) {
	f.setState("ending")
	ctx.Request(ctx.Parent(), failed{err: err})
}

func (f *feed) crash(ctx actor.Context, msg fail) {
	if msg.role == RoleFeed {
		panic(requestedFailure(msg.role))
	}
	if !f.source.crash(ctx, msg) {
		f.fail(ctx, failureOf(requestedFailure(msg.role)))
	}
}
