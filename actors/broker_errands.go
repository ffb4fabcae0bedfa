package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// receiveErrand handles channels that serve no stream.
// It reports whether the message was one of these.
func (b *broker) receiveErrand(ctx actor.Context, message any) bool {
	switch msg := message.(type) {
	case spareChanged:
		b.spareChanged(ctx, msg)
	case spareDue:
		b.spareDue(ctx)
	case probeEnded:
		b.probeEnded(ctx, msg)
	case requestErrand:
		b.requestErrand(ctx, msg)
	case errandEnded:
		b.errandEnded(ctx, msg.link)
	case swept:
		b.swept(ctx, msg)
	case besideChanged:
		b.besideChanged(ctx, msg)
	case channelCounted:
		b.channelCounted(ctx)
	default:
		return false
	}
	return true
}

// The broker actor and channels that are open for a moment (pool_errands.go): it counts scouts, grants
// errands, and waits until the broker has counted a channel as closed.

func (b *broker) errands(ctx actor.Context, link amqp.Link) errands {
	root, self := b.core.rootContext, ctx.Self()
	return errands{
		ask:    func(answer chan<- bool) { root.Send(self, requestErrand{link: link, answer: answer}) },
		end:    func() { root.Send(self, errandEnded{link: link}) },
		beside: func(s besideState) { root.Send(self, besideChanged{link: link, state: s}) },
		lost:   link.Lost(), done: b.core.done,
	}
}

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

func (b *broker) besideChanged(ctx actor.Context, msg besideChanged) {
	if b.pool.besideChanged(msg.link, msg.state, time.Now()) {
		b.channelClosed(ctx)
	}
	b.serve(ctx)
}

// scoutSent is called when a scout is sent, scoutBack when it has reported.
func (b *broker) scoutSent() {
	b.core.count.scouts.Add(1)
	b.pool.scouts++
	b.pool.total.disturb()
}

func (b *broker) scoutBack(ctx actor.Context, err error) {
	b.pool.scouts--
	b.pool.total.disturb()
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

// sweepEvery is the least time between two sweeps.
const sweepEvery = time.Second

// sweep has deleted what ended links have left behind, see leftovers, where a link has a channel to spare
// for it.
func (b *broker) sweep(ctx actor.Context) {
	link, now := b.pool.usableLink(), time.Now()
	if link == nil || b.sweeping || now.Before(b.sweepDue) || !b.core.leftovers.any() || b.pool.beginErrand(link, now) != granted {
		return
	}
	b.sweeping, b.sweepDue = true, now.Add(sweepEvery)
	c, root, self, links := b.core, b.core.rootContext, ctx.Self(), b.links
	c.work.Go(func() {
		c.leftovers.sweep(link, &c.opener)
		root.Send(self, swept{by: links, link: link})
	})
}

func (b *broker) swept(ctx actor.Context, msg swept) {
	if msg.by == b.links {
		b.sweeping = false
		b.errandEnded(ctx, msg.link)
	}
}
