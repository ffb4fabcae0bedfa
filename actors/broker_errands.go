package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The broker actor and channels that are open for a moment (pool_errands.go): it counts scouts, grants
// errands, and waits until the broker has counted a channel as closed.

// errands is how a goroutine gets a channel for an errand on one link from the broker actor. Its
// methods may be called concurrently.
type errands struct {
	root   *actor.RootContext
	broker *actor.PID
	link   amqp.Link
	done   <-chan struct{} // closed when the tree has ended
}

func (b *broker) errands(ctx actor.Context, link amqp.Link) errands {
	return errands{root: b.core.rootContext, broker: ctx.Self(), link: link, done: b.core.done}
}

// begin reports whether a channel is granted. The caller owes end when that is closed.
func (e errands) begin() bool {
	answer := make(chan bool, 1)
	e.root.Send(e.broker, requestErrand{link: e.link, answer: answer})
	select {
	case granted := <-answer:
		return granted
	case <-e.link.Lost(): // its account is gone as well
	case <-e.done:
	}
	return false
}

func (e errands) end() { e.root.Send(e.broker, errandEnded{link: e.link}) }

// closeBeside reports that a feed's second channel is closed.
func (e errands) closeBeside() { e.root.Send(e.broker, besideClosed{link: e.link}) }

// requestErrand answers at once. Where it is not known whether the broker allows a channel, that is
// tried for the next time.
func (b *broker) requestErrand(ctx actor.Context, msg requestErrand) {
	o := b.pool.beginErrand(msg.link, time.Now())
	if o == unverified {
		b.tryChannels(ctx, b.pool.beginScout)
	}
	msg.answer <- o == granted
}

func (b *broker) errandEnded(ctx actor.Context, link amqp.Link) {
	b.pool.endErrand(link)
	b.channelClosed(ctx)
	b.serve(ctx)
}

func (b *broker) besideClosed(ctx actor.Context, link amqp.Link) {
	b.pool.closeBeside(link)
	b.channelClosed(ctx)
	b.serve(ctx)
}

// scoutSent is called when a scout is sent, scoutBack when it has reported.
func (b *broker) scoutSent() {
	b.core.count.scouts.Add(1)
	b.pool.scouts++
}

func (b *broker) scoutBack(ctx actor.Context, err error) {
	b.pool.scouts--
	if amqp.CodeOf(err) == amqp.NotAllowed {
		b.limitMet(b.links)
	}
	b.channelClosed(ctx)
	b.closeScoutsLater(ctx)
}

// channelClosed goes on counting a channel that is closed, for as long as the broker may. Where no
// limit was met, nothing depends on it.
func (b *broker) channelClosed(ctx actor.Context) {
	if b.pool.total.strict {
		b.pool.counted++
		b.timers.after(ctx, countingRest, channelCounted{})
	}
}

func (b *broker) channelCounted(ctx actor.Context) {
	b.pool.counted--
	b.serve(ctx)
}
