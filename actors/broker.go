package actors

import (
	"math/rand/v2"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// broker keeps the AMQP links up and shares their channels out.
//
// Owns:    the links, through their goroutines that dial, watch and close.
// Parent:  events, which restarts it; its links close then, which every stream
// on them notices by itself.
// Ends:    with the System.
//
//	down ──dial──▶ up          a link is there
//	 ▲  ◀─back-off─ │ lost      never gives up; one dial at a time
//	 └──────────────┘
//
// A further link, when those that are up are full, backs off in the same way.
type broker struct {
	*node
	system  *System
	pool    *pool
	links   *links
	dialing bool
	pausing bool // between two tries: the back-off
	attempt int  // failed tries since a link was last dialed
	holding bool // the first try: askers wait for it, instead of being refused
	audited bool // an audit is due
}

const (
	// holdFor is how long a stream waits for the first link.
	holdFor = 2 * time.Second
	// openPatience is how long a call may take while a channel is opened,
	// before its link is given up: AMQP calls know no deadline, and the
	// heartbeat of a link that dies within its handshake may never fire. A
	// stream of a hundred bindings makes over a hundred calls.
	openPatience = 10 * time.Second
	// restAfter is how long a link that is not needed stays.
	restAfter = 30 * time.Second
)

func newBroker(s *System, n *node) *broker {
	return &broker{node: n, system: s, pool: newPool(s.options.Limits)}
}

// Receive is the table of contents.
func (b *broker) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		b.start(ctx)
	case acquire:
		b.pool.wait(ctx.Sender())
		b.serve(ctx)
	case progressed:
		b.pool.progressed(ctx.Sender(), time.Now())
		return // often, and nothing that anybody sees
	case exhausted:
		b.pool.exhausted(ctx.Sender())
	case opened:
		b.pool.opened(ctx.Sender())
		b.serve(ctx)
	case release:
		b.release(ctx)
	case dialed:
		b.dialed(ctx, msg)
	case lost:
		b.lost(ctx, msg.link)
	case redial:
		b.redial(ctx)
	case holdOver:
		b.holding = false
		b.serve(ctx)
	case audit:
		b.audit(ctx)
	case rested:
		b.rested(msg.link)
	case fail:
		panic(planted(msg.role))
	case *actor.Restarting, *actor.Stopping:
		b.end(ctx)
	case *actor.Stopped:
		b.leave()
	}
	b.publish()
}

func (b *broker) start(ctx actor.Context) {
	b.links = newLinks(&b.system.work)
	b.holding = true
	b.system.after(holdFor, ctx.Self(), holdOver{})
	b.dial(ctx)
}

// serve gives channels to those who wait, in their order, as far as there are
// any; the others wait on, or are refused where waiting is of no use.
func (b *broker) serve(ctx actor.Context) {
	for {
		who, link, full := b.pool.next(time.Now())
		switch {
		case who != nil:
			ctx.Send(who, acquired{link: link})
			b.auditLater(ctx)
		case !full:
			return // nobody waits, or enough channels are being opened
		case b.pool.up() && !b.pausing:
			b.dial(ctx) // one more link
			return
		case !b.holding:
			b.refuse(ctx)
			return
		default:
			return
		}
	}
}

func (b *broker) refuse(ctx actor.Context) {
	for _, who := range b.pool.dismiss() {
		ctx.Send(who, refused{err: &Error{Code: BrokerUnavailable, Reason: "The message broker cannot be reached at present"}})
	}
}

func (b *broker) release(ctx actor.Context) {
	if idle := b.pool.release(ctx.Sender()); idle != nil {
		b.restLater(ctx, idle)
	}
	b.serve(ctx)
}

func (b *broker) restLater(ctx actor.Context, link amqp.Link) {
	if b.pool.spare(link) {
		b.system.after(restAfter, ctx.Self(), rested{link: link})
	}
}

// rested closes a link that has been idle all the while, or is so again.
func (b *broker) rested(link amqp.Link) {
	if b.pool.spare(link) {
		b.pool.remove(link)
		b.links.close(link, closePatience)
	}
}

func (b *broker) dial(ctx actor.Context) {
	if b.dialing || b.pausing {
		return
	}
	b.dialing = true
	b.system.count.dials.Add(1)
	root, self, links := b.system.root, ctx.Self(), b.links
	links.dial(b.system.options.Dialer, func(link amqp.Link, err error) {
		root.Send(self, dialed{by: links, link: link, err: err})
	})
}

// pause puts the next try off; one timer runs at a time.
func (b *broker) pause(ctx actor.Context, delay time.Duration) {
	if !b.pausing {
		b.pausing = true
		b.system.after(delay, ctx.Self(), redial{})
	}
}

// redial: the back-off is over, if it is still of interest.
func (b *broker) redial(ctx actor.Context) {
	b.pausing = false
	if !b.pool.up() {
		b.dial(ctx)
	}
}

func (b *broker) dialed(ctx actor.Context, msg dialed) {
	if msg.by != b.links {
		return // dialed before this actor was restarted: the link is closed already
	}
	b.dialing, b.holding = false, false
	if msg.err != nil {
		b.failedDial(ctx, msg.err)
		return
	}
	b.attempt = 0
	b.pool.add(msg.link)
	root, self, link := b.system.root, ctx.Self(), msg.link
	b.links.watch(link, func() { root.Send(self, lost{link: link}) })
	b.system.log.Info("broker link up", "links", len(b.pool.links))
	b.serve(ctx)
	b.restLater(ctx, link) // where it came too late to be of use
}

// failedDial: whoever cannot be served by the links that are up is refused.
func (b *broker) failedDial(ctx actor.Context, err error) {
	delay := redialing.delay(b.attempt, rand.Float64)
	b.attempt++
	b.system.count.dialsFailed.Add(1)
	b.system.log.Warn("broker not reached", "error", err, "attempt", b.attempt, "next", delay)
	b.refuse(ctx)
	b.pause(ctx, delay)
}

// lost: each worker on the link notices by itself. Only the pool is mended.
func (b *broker) lost(ctx actor.Context, link amqp.Link) {
	if !b.pool.remove(link) {
		return // closed by us
	}
	b.system.count.linksLost.Add(1)
	b.system.log.Warn("broker link lost", "error", link.Err(), "links", len(b.pool.links))
	if !b.pool.up() && !b.dialing {
		b.refuse(ctx)
		b.pause(ctx, redialing.delay(0, rand.Float64))
	}
}

func (b *broker) auditLater(ctx actor.Context) {
	if !b.audited {
		b.audited = true
		b.system.after(openPatience/4, ctx.Self(), audit{})
	}
}

// audit closes links on which a call has been under way for too long: they
// answer no more. Their loss is then noticed as any other's.
func (b *broker) audit(ctx actor.Context) {
	b.audited = false
	stuck := b.pool.stuck(time.Now(), openPatience)
	for _, link := range stuck {
		b.system.log.Warn("broker link gives no answer")
		b.pool.remove(link)
		b.links.close(link, 0)
	}
	if b.pool.opening() {
		b.auditLater(ctx)
	}
	if len(stuck) > 0 && !b.pool.up() {
		b.dial(ctx)
	}
}

// end closes the links; whoever waits for a channel would wait for ever.
func (b *broker) end(ctx actor.Context) {
	b.refuse(ctx)
	b.links.closeAll()
	b.pool = newPool(b.system.options.Limits)
}

// publish keeps the gauges and the health that anybody may read.
func (b *broker) publish() {
	c := b.system.count
	states := b.pool.states()
	b.system.links.Store(&states)
	c.links.Store(int64(len(states)))
	c.leases.Store(int64(len(b.pool.leases)))
	c.waiting.Store(int64(b.pool.waiting.Len()))
	switch {
	case b.pool.up():
		b.become("up")
	case b.dialing:
		b.become("dialing")
	default:
		b.become("down")
	}
}
