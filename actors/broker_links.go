package actors

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The broker actor and its links: dialed, used, lost, and closed where they are not needed.

// receiveLink handles the links that come and go, and the timers that belong to them.
// It reports whether the message was one of these.
func (b *broker) receiveLink(ctx actor.Context, message any) bool {
	switch msg := message.(type) {
	case dialed:
		b.dialed(ctx, msg)
	case dialedElsewhere:
		b.dialedElsewhere(ctx, msg)
	case spreadDue:
		b.spreading = false
		b.spread(ctx)
	case lost:
		b.lost(ctx, msg.link)
	case dialDue:
		b.dialAgain(ctx)
	case refuseWaiting:
		b.awaited = noLink
		b.serve(ctx)
	case rebalanceDue:
		b.rebalance(ctx)
	case checkCalls:
		b.checkCalls(ctx)
	case closeIdle:
		b.closeIdle(msg.link)
	default:
		return false
	}
	return true
}

// closeIdleLater has the links that are not needed closed after a while, in which they may be needed
// again.
func (b *broker) closeIdleLater(ctx actor.Context) {
	for _, link := range b.pool.rest() {
		b.timers.after(ctx, idleLinkTimeout, closeIdle{link: link})
	}
}

// closeIdle closes a link that has been idle all the while, or is so again.
func (b *broker) closeIdle(link amqp.Link) {
	if b.pool.woken(link) {
		b.unwatch(link)
		b.pool.remove(link)
		b.links.close(link, linkCloseTimeout)
	}
}

func (b *broker) dial(ctx actor.Context) {
	if b.dialing || b.backOff {
		return
	}
	b.dialing = true
	b.core.count.dials.Add(1)
	root, self, links := b.core.rootContext, ctx.Self(), b.links
	links.dial(b.dialer, func(link amqp.Link, err error) {
		root.Send(self, dialed{by: links, link: link, err: err})
	})
}

// dialLater puts the next try off; one timer runs at a time.
func (b *broker) dialLater(ctx actor.Context, delay time.Duration) {
	if !b.backOff {
		b.backOff = true
		b.redial.notBefore = time.Now().Add(delay)
		b.timers.after(ctx, delay, dialDue{})
	}
}

// dialAgain: the back-off is over, if it is still of interest.
func (b *broker) dialAgain(ctx actor.Context) {
	b.backOff = false
	if !b.pool.up() {
		b.dial(ctx)
	}
}

func (b *broker) dialed(ctx actor.Context, msg dialed) {
	if msg.by != b.links {
		return // dialed before this actor was restarted: the link is closed already
	}
	b.dialing = false
	if msg.err != nil {
		b.failedDial(ctx, msg.err)
		return
	}
	*b.redial, b.awaited = redialState{}, noLink
	b.use(ctx, msg.link)
}

// use takes a new link into the pool, and serves those who wait.
func (b *broker) use(ctx actor.Context, link amqp.Link) {
	entry := b.pool.add(link, time.Now())
	entry.blind = b.watch.sight.blind[entry.address]
	root, self := b.core.rootContext, ctx.Self()
	b.upkeeps[link] = newUpkeep(b.core, link, func(s spare) { root.Send(self, spareChanged{link: link, spare: s}) }, b.recheck(ctx), b.errands(ctx, link))
	b.links.watch(link, func() { root.Send(self, lost{link: link}) })
	b.core.log.Info("broker link up", "links", len(b.pool.links), "address", amqp.Address(link))
	b.watchNodes(ctx)
	b.linked(ctx, entry)
	b.serve(ctx)
}

// failedDial: those who cannot be served by the links that are up are refused, unless the last link
// was lost a moment ago.
func (b *broker) failedDial(ctx actor.Context, err error) {
	delay := dialBackoff.delay(b.redial.attempt, rand.Float64)
	if b.redial.attempt++; b.redial.attempt > 2 && !b.pool.up() {
		b.forgetBlind()
	}
	b.core.count.dialsFailed.Add(1)
	b.core.log.Warn("broker not reached", "error", err, "attempt", b.redial.attempt, "next", delay)
	if b.awaited != nextLink {
		b.awaited = noLink
		b.refuse(ctx, errNoBroker)
	}
	b.dialLater(ctx, delay)
}

// lost: each worker on the link notices by itself. Only the pool is mended, and what is known of
// the broker.
func (b *broker) lost(ctx actor.Context, link amqp.Link) {
	streams := b.pool.servedBy(link)
	delete(b.probed, link)
	delete(b.upkeeps, link)
	if !b.pool.remove(link) {
		return // closed by us
	}
	err := link.Err()
	b.core.count.linksLost.Add(1)
	b.core.log.Warn("broker link lost", "error", err, "streams", streams, "links", len(b.pool.links), "address", amqp.Address(link))
	b.learnFromLoss(ctx, err)
	b.disturbed(ctx)
	if b.pool.up() {
		return
	}
	b.await(ctx, nextLink)
	if !b.dialing {
		b.dialLater(ctx, dialBackoff.delay(0, rand.Float64))
	}
}
