package actors

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// broker keeps the AMQP links up and leases their channels.
//
// Owns:    the links, through their goroutines that dial, watch and close.
// Parent:  root, which restarts it; its links close then, which every stream on them notices by
// itself.
// Ends:    with the System.
//
//	down ──dial──▶ up          a link is there
//	 ▲  ◀─back-off─ │ lost      never gives up; one dial at a time
//	 └──────────────┘
//
// A further link, when those that are up are full, backs off in the same way.
type broker struct {
	*node
	core    *core
	pool    *pool
	links   *links
	dialing bool
	backOff bool // the time between two tries has not passed
	attempt int  // failed tries since a link was last dialed
	first   bool // the first link is awaited: requests wait for it, instead of being refused
	checks  bool // a check for stuck links is due
}

const (
	// firstLinkTimeout is how long a stream waits for the first link.
	firstLinkTimeout = 2 * time.Second
	// callTimeout is how long a call may take while a channel is opened, before its link is given
	// up: AMQP calls have no deadline, and the heartbeat of a link that dies within its handshake
	// may never fire. A stream of a hundred bindings makes over a hundred calls.
	callTimeout = 10 * time.Second
	// idleLinkTimeout is how long a link that is not needed stays.
	idleLinkTimeout = 30 * time.Second
)

func newBroker(c *core, n *node) *broker {
	return &broker{node: n, core: c, pool: newPool(c.options.Limits)}
}

// Receive handles leases, and the links that come and go.
func (b *broker) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		b.start(ctx)
	case requestLease:
		b.pool.wait(ctx.Sender())
		b.serve(ctx)
	case progressed:
		b.pool.progressed(ctx.Sender(), time.Now())
		return // often, and nothing that is published
	case exhausted:
		b.pool.exhausted(ctx.Sender())
	case opened:
		b.pool.opened(ctx.Sender())
		b.pool.serves(ctx.Sender(), msg.node)
		b.serve(ctx)
	case release:
		b.release(ctx)
	case dialed:
		b.dialed(ctx, msg)
	case lost:
		b.lost(ctx, msg.link)
	case redial:
		b.redial(ctx)
	case refuseWaiting:
		b.first = false
		b.serve(ctx)
	case checkStuck:
		b.checkStuck(ctx)
	case closeIdle:
		b.closeIdle(msg.link)
	case fail:
		panic(requestedFailure(msg.role))
	case *actor.Restarting, *actor.Stopping:
		b.end(ctx)
	case *actor.Stopped:
		b.unregister()
	}
	b.publish()
}

func (b *broker) start(ctx actor.Context) {
	b.links = newLinks(&b.core.work)
	b.first = true
	b.core.after(firstLinkTimeout, ctx.Self(), refuseWaiting{})
	b.dial(ctx)
}

// serve grants leases to those who wait, in their order, as far as there are channels; the others
// wait on, or are refused where waiting is of no use.
func (b *broker) serve(ctx actor.Context) {
	for {
		owner, link, full := b.pool.next(time.Now())
		switch {
		case owner != nil:
			ctx.Send(owner, leased{link: link})
			b.checkLater(ctx)
		case !full:
			return // none waits, or enough channels are being opened
		case b.pool.up() && !b.backOff:
			b.dial(ctx) // one more link
			return
		case !b.first:
			b.refuse(ctx)
			return
		default:
			return
		}
	}
}

func (b *broker) refuse(ctx actor.Context) {
	for _, owner := range b.pool.clearWaiting() {
		ctx.Send(owner, refused{err: errNoBroker})
	}
}

func (b *broker) release(ctx actor.Context) {
	b.pool.noteLost(ctx.Sender())
	if idle := b.pool.release(ctx.Sender()); idle != nil {
		b.closeIdleLater(ctx, idle)
	}
	b.serve(ctx)
}

func (b *broker) closeIdleLater(ctx actor.Context, link amqp.Link) {
	if b.pool.idleExtra(link) {
		b.core.after(idleLinkTimeout, ctx.Self(), closeIdle{link: link})
	}
}

// closeIdle closes a link that has been idle all the while, or is so again.
func (b *broker) closeIdle(link amqp.Link) {
	if b.pool.idleExtra(link) {
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
	links.dial(b.core.options.Dialer, func(link amqp.Link, err error) {
		root.Send(self, dialed{by: links, link: link, err: err})
	})
}

// dialLater puts the next try off; one timer runs at a time.
func (b *broker) dialLater(ctx actor.Context, delay time.Duration) {
	if !b.backOff {
		b.backOff = true
		b.core.after(delay, ctx.Self(), redial{})
	}
}

// redial: the back-off is over, if it is still of interest.
func (b *broker) redial(ctx actor.Context) {
	b.backOff = false
	if !b.pool.up() {
		b.dial(ctx)
	}
}

func (b *broker) dialed(ctx actor.Context, msg dialed) {
	if msg.by != b.links {
		return // dialed before this actor was restarted: the link is closed already
	}
	b.dialing, b.first = false, false
	if msg.err != nil {
		b.failedDial(ctx, msg.err)
		return
	}
	b.attempt = 0
	b.pool.add(msg.link)
	root, self, link := b.core.rootContext, ctx.Self(), msg.link
	b.links.watch(link, func() { root.Send(self, lost{link: link}) })
	b.core.log.Info("broker link up", "links", len(b.pool.links))
	b.serve(ctx)
	b.closeIdleLater(ctx, link) // where it came too late to be of use
}

// failedDial: who cannot be served by the links that are up is refused.
func (b *broker) failedDial(ctx actor.Context, err error) {
	delay := dialBackoff.delay(b.attempt, rand.Float64)
	b.attempt++
	b.core.count.dialsFailed.Add(1)
	b.core.log.Warn("broker not reached", "error", err, "attempt", b.attempt, "next", delay)
	b.refuse(ctx)
	b.dialLater(ctx, delay)
}

// lost: each worker on the link notices by itself. Only the pool is mended.
func (b *broker) lost(ctx actor.Context, link amqp.Link) {
	streams := b.pool.servedBy(link)
	if !b.pool.remove(link) {
		return // closed by us
	}
	b.core.count.linksLost.Add(1)
	b.core.log.Warn("broker link lost", "error", link.Err(), "streams", streams, "links", len(b.pool.links))
	if !b.pool.up() && !b.dialing {
		b.refuse(ctx)
		b.dialLater(ctx, dialBackoff.delay(0, rand.Float64))
	}
}

func (b *broker) checkLater(ctx actor.Context) {
	if !b.checks {
		b.checks = true
		b.core.after(callTimeout/4, ctx.Self(), checkStuck{})
	}
}

// checkStuck closes links on which a call has been under way for too long: they answer no more. Their
// loss is then noticed as any other's.
func (b *broker) checkStuck(ctx actor.Context) {
	b.checks = false
	stuck := b.pool.stuck(time.Now(), callTimeout)
	for _, link := range stuck {
		b.core.log.Warn("broker link gives no answer")
		b.pool.remove(link)
		b.links.close(link, 0)
	}
	if b.pool.opening() {
		b.checkLater(ctx)
	}
	if len(stuck) > 0 && !b.pool.up() {
		b.dial(ctx)
	}
}

// end closes the links, and refuses who waits for a channel: they would wait for ever.
func (b *broker) end(ctx actor.Context) {
	b.refuse(ctx)
	b.links.closeAll()
	b.pool = newPool(b.core.options.Limits)
}

// publish keeps the gauges and the health that other goroutines read.
func (b *broker) publish() {
	c := b.core.count
	states := b.pool.states()
	b.core.links.Store(&states)
	c.links.Store(int64(len(states)))
	c.leases.Store(int64(len(b.pool.leases)))
	c.waiting.Store(int64(b.pool.waiting.Len()))
	switch {
	case b.pool.up():
		b.setState("up")
	case b.dialing:
		b.setState("dialing")
	default:
		b.setState("down")
	}
}
