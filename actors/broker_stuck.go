package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The broker actor and calls without an answer. AMQP calls have no deadline. One call may hang
// while the link serves its other channels: a peer of a cluster that is frozen does it. Then the
// link is retired: it serves its streams, gets no new one, and is closed with its last. A link that
// shows no sign of life is closed.

const (
	// probeAfter is how long a call may take before its link is asked for a sign of life.
	probeAfter = callTimeout / 2
	// mostWitnesses is how many streams of a link are asked for a sign of life, each by a call on its
	// own channel, where the broker has no channel left to open one for that.
	mostWitnesses = 3
)

func (b *broker) calling(ctx actor.Context) {
	b.pool.calling(ctx.Sender(), time.Now())
	b.checkLater(ctx)
}

// checkLater sets the time of the next check, unless it is set.
func (b *broker) checkLater(ctx actor.Context) {
	if b.check == nil {
		b.check = b.timers.after(ctx, probeAfter, checkCalls{})
	}
}

// checkCalls probes links, and ends calls that are not answered in time.
func (b *broker) checkCalls(ctx actor.Context) {
	b.check = nil
	now := time.Now()
	asked := map[amqp.Link]bool{}
	for _, l := range b.pool.unanswered(now, probeAfter) {
		asked[l.on.link] = true
		b.probe(ctx, l.on.link)
	}
	for link := range b.probed {
		if !asked[link] {
			delete(b.probed, link) // all its calls were answered
		}
	}
	given := b.pool.unanswered(now, callTimeout)
	for _, l := range given {
		b.giveUp(ctx, l, len(given))
	}
	b.closeFinished()
	if at := b.pool.nextCheck(now, probeAfter, callTimeout); !at.IsZero() {
		b.check = b.timers.after(ctx, at.Sub(now), checkCalls{})
	}
	b.serve(ctx)
}

func (b *broker) probe(ctx actor.Context, link amqp.Link) {
	if _, asked := b.probed[link]; asked {
		return
	}
	b.probed[link] = false
	if b.pool.beginErrand(link, time.Now()) != granted {
		for _, owner := range b.pool.witnesses(link, mostWitnesses) {
			ctx.Send(owner, prove{})
		}
		return
	}
	root, self := b.core.rootContext, ctx.Self()
	b.links.probe(link, func(answered bool) { root.Send(self, probeEnded{link: link, answered: answered}) })
}

func (b *broker) probeEnded(ctx actor.Context, msg probeEnded) {
	if msg.answered {
		b.alive(msg.link)
	}
	b.errandEnded(ctx, msg.link)
}

// alive: the link has answered.
func (b *broker) alive(link amqp.Link) {
	if _, asked := b.probed[link]; asked {
		b.probed[link] = true
	}
}

// progressed: a call of a lease was answered, which is a sign of life as well.
func (b *broker) progressed(ctx actor.Context) {
	if on := b.pool.progressed(ctx.Sender(), time.Now()); on != nil {
		b.alive(on.link)
	}
}

// giveUp notifies a stream, one of n, that its call is not answered, and takes the link out of use.
func (b *broker) giveUp(ctx actor.Context, l *leaseEntry, n int) {
	b.pool.giveUp(l)
	if l.opening {
		ctx.Send(l.owner, refused{err: errNoCallAnswered.among(n)})
	} else {
		ctx.Send(l.owner, finish{err: errCallLost.among(n)})
	}
	link, was := l.on.link, l.on.retired
	switch {
	case b.pool.find(link) == nil:
		return // it was closed for another call
	case b.probed[link]:
		b.pool.retire(link)
		if !was {
			b.core.count.linksRetired.Add(1)
			b.core.log.Warn("broker link retired: one of its calls is not answered", "address", l.on.address, "channels", l.on.channels)
		}
	default:
		b.core.log.Warn("broker link gives no answer", "address", l.on.address)
		b.pool.remove(link)
		b.links.close(link, 0)
	}
	if !b.pool.up() {
		b.await(ctx, nextLink)
		b.dial(ctx)
	}
}

// closeFinished closes the retired links that serve no stream any more. Calls that still wait there
// return by this.
func (b *broker) closeFinished() {
	for _, link := range b.pool.finished() {
		b.pool.remove(link)
		b.links.close(link, linkCloseTimeout)
	}
}
