package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// The broker actor and the channels that serve no stream (pool_spares.go): each link with streams
// may have one, on which its dead letters come (deadletters.go). It is opened when the broker is
// known to have room for it, and given back when streams come near a limit: no stream is refused
// for it, nor ended.

// dropsKnowledge is what the broker actor knows of whether the service may hear what its queues
// drop.
type dropsKnowledge struct {
	known  bool
	trying bool
	doubt  time.Time // it may not, and may be allowed to from then on; zero: it may
}

// awaitsDrops reports whether requests are to wait until a scout has found out whether their queues
// may name an exchange for what they drop, and sends the scout.
func (b *broker) awaitsDrops(ctx actor.Context) bool {
	d, o := &b.drops, b.core.options
	switch {
	case o.IgnoreDrops, o.NoScouts, !b.pool.up(), b.pool.waiting.Len() == 0, !d.trying && !b.pool.mayScout(time.Now()):
		return false
	case d.known && (d.doubt.IsZero() || time.Now().Before(d.doubt)):
		return false
	case d.trying:
		return true
	}
	d.trying = true
	b.scoutSent()
	root, self, links := b.core.rootContext, ctx.Self(), b.links
	b.scouts.drops(o.Namespace, func(err error) { root.Send(self, dropsTried{by: links, err: err}) })
	return true
}

// dropsTried: where it is not allowed, or could not be tried, streams are served without.
func (b *broker) dropsTried(ctx actor.Context, msg dropsTried) {
	if msg.by != b.links {
		return
	}
	b.scoutBack(ctx, msg.err)
	b.drops = dropsKnowledge{known: true}
	if msg.err != nil && !errors.Is(msg.err, errNoDeadLetters) {
		b.drops.doubt = time.Now().Add(retryDropsAfterRefusal)
	}
	b.core.allowDrops(msg.err)
	b.serve(ctx)
}

// forgetDrops lets the next request find out anew: a right was lost, or the broker is another.
func (b *broker) forgetDrops() {
	b.drops = dropsKnowledge{}
	b.core.drops.Store(dropsUnknown)
}

// tendSpares has spares given back where streams may need them, and else permits one to each link
// with streams, as far as the broker is known to have channels. Each link is told either way, but
// where a scout is under way.
func (b *broker) tendSpares(ctx actor.Context) {
	if b.pool.sparesScarce() {
		b.giveSparesBack()
	}
	for _, l := range b.pool.withoutSpare() {
		letters := b.upkeeps[l.link].letters
		if !b.mayHearDrops() {
			letters.decline()
			continue
		}
		switch b.pool.takeSpare(l, time.Now()) {
		case granted:
			letters.permit()
		case unverified:
			b.tryChannels(ctx, b.pool.beginSpareScout)
			return
		default:
			b.core.noteDrops(errNoSpare)
			letters.decline()
		}
	}
}

var errNoSpare = errors.New("the broker has no channel or no queue to spare for it")

func (b *broker) mayHearDrops() bool {
	switch o := b.core.options; b.core.drops.Load() {
	case dropsAllowed:
		return !o.IgnoreDrops
	case dropsUnknown:
		return !o.IgnoreDrops && o.NoScouts // the channel that is opened finds out
	}
	return false
}

// giveSparesBack has all spares closed; each is reported by spareChanged.
func (b *broker) giveSparesBack() {
	for _, link := range b.pool.sparesToReturn() {
		b.core.work.Go(b.upkeeps[link].letters.giveBack) // may wait for a call of the broker
	}
}

func (b *broker) spareChanged(ctx actor.Context, msg spareChanged) {
	if b.pool.spareChanged(msg.link, msg.spare, time.Now()) {
		b.channelClosed(ctx)
	}
	b.tendSparesAfter(ctx, msg.spare.again)
	b.serve(ctx)
}

// noRoom: the broker has refused a stream's queue for want of room, and those for dead letters take
// some.
func (b *broker) noRoom(ctx actor.Context) {
	b.pool.holdSpares(time.Now().Add(retryDropsAfterRefusal))
	b.tendSparesAfter(ctx, retryDropsAfterRefusal)
	b.giveSparesBack()
}

// spareDue: there may be room again, so that a link that had no spare gets one with its next stream,
// which waits for it.
func (b *broker) spareDue(ctx actor.Context) {
	for _, u := range b.upkeeps {
		u.letters.doubt()
	}
	b.serve(ctx)
}

func (b *broker) tendSparesAfter(ctx actor.Context, d time.Duration) {
	if d > 0 {
		b.timers.after(ctx, d, spareDue{})
	}
}
