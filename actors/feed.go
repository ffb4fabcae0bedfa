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
	feedQueue
	hub     *hub
	waiting map[*Stream]*actor.PID // whose connections are to hear of ready
}

// Receive handles the consumer and the streams that come and go.
func (f *feed) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		f.open(ctx)
	case attach:
		f.attach(ctx, msg)
	case detach:
		f.hub.detach(msg.stream)
		f.attached.Add(-1)
		delete(f.waiting, msg.stream)
	case subscribed:
		f.subscribed(ctx)
	default:
		f.receive(ctx)
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
