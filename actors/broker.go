package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// broker keeps the AMQP links up and leases their channels.
//
// Owns:    the links and scouts, through their goroutines that dial, watch, try and close.
// Parent:  root, which restarts it; its links close then, which every stream on them notices by
// itself.
// Ends:    with the System.
//
//	down ──dial──▶ up          a link is there
//	 ▲  ◀─back-off─ │ lost      never gives up; one dial at a time
//	 └──────────────┘
//
// A further link, when those that are up are full, backs off in the same way. What one stream's
// request may do to the others of its link is tried by a scout first (broker_scouts.go); a link on
// which a call is not answered is retired or closed (broker_stuck.go).
type broker struct {
	*node
	core        *core
	pool        *pool
	exchanges   *exchanges
	links       *links
	scouts      *scouts
	rechecks    *rechecks
	redial      *redialState
	timers      timers
	dialing     bool
	spreading   bool        // a node without a link is dialed, or was a moment ago (broker_spread.go)
	backOff     bool        // the time between two tries has not passed
	awaited     awaitedLink // requests wait for it, instead of being refused
	patience    *timer      // until it is awaited no longer
	check       *timer      // of the next look for calls without an answer
	upkeeps     map[amqp.Link]*upkeep
	probed      map[amqp.Link]bool // links that are asked for a sign of life; true: it was given
	idleScout   *timer
	denied      denial
	dialer      *sightedDialer // Options.Dialer, but for blind nodes
	balance     balance        // of streams over nodes (broker_spread.go)
	rebalancing *timer
	watch       watch // which nodes are blind (broker_canaries.go)
	drops       dropsKnowledge
	sweeping    bool      // what ended links have left behind is being deleted
	sweepDue    time.Time // not sooner again
}

// redialState is what a restarted broker actor must know of its earlier life: a failure is no
// reason to dial sooner.
type redialState struct {
	attempt   int       // failed tries since a link was last dialed
	notBefore time.Time // the next try; zero: at once
}

// awaitedLink is a link that has not come yet, and that requests wait for.
type awaitedLink int

const (
	noLink    awaitedLink = iota
	firstLink             // after the start, until a dial has failed
	nextLink              // after the loss of the last one, whatever dials fail
)

const (
	// linkPatience is how long requests wait for the first link, or for the next one after a loss.
	linkPatience = 2 * time.Second
	// idleLinkTimeout is how long a link that is not needed stays.
	idleLinkTimeout = 30 * time.Second
)

func newBroker(c *core, n *node, r *redialState) *broker {
	return &broker{
		node: n, core: c, redial: r, pool: newPool(c.options.Limits, channelLimitOf(c.options)), exchanges: newExchanges(), rechecks: newRechecks(),
		dialer: &sightedDialer{Dialer: c.options.Dialer}, watch: newWatch(), upkeeps: map[amqp.Link]*upkeep{}, probed: map[amqp.Link]bool{},
	}
}

// Receive handles leases, the links that come and go, and what is done beside the streams. What changes
// something is published.
func (b *broker) Receive(ctx actor.Context) {
	message := b.timers.event(ctx.Message())
	if b.receiveOften(ctx, message) {
		return
	}
	_ = b.receiveLease(ctx, message) ||
		b.receiveLink(ctx, message) ||
		b.receiveScout(ctx, message) ||
		b.receiveErrand(ctx, message) ||
		b.receiveCanary(ctx, message) ||
		b.receiveLife(ctx, message)
	b.publish()
}

// receiveOften handles what comes often and changes nothing that is published. It reports whether the
// message was one of these.
func (b *broker) receiveOften(ctx actor.Context, message any) bool {
	switch msg := message.(type) {
	case progressed:
		b.progressed(ctx)
	case calling:
		b.calling(ctx)
	case canaryHeard:
		b.canaryHeard(msg)
	default:
		return false
	}
	return true
}

// receiveLife handles the actor's own life. It reports whether the message was one of these.
func (b *broker) receiveLife(ctx actor.Context, message any) bool {
	switch msg := message.(type) {
	case *actor.Started:
		b.start(ctx)
	case fail:
		panic(requestedFailure(msg.role))
	case *actor.Restarting, *actor.Stopping:
		b.end(ctx)
	case *actor.Stopped:
		b.unregister()
	default:
		return false
	}
	return true
}

// receiveLease handles the conversation with those who ask for leases and have them (lease.go).
// It reports whether the message was one of these.
func (b *broker) receiveLease(ctx actor.Context, message any) bool {
	switch msg := message.(type) {
	case requestLease:
		b.pool.wait(leaseRequest{owner: ctx.Sender(), bindings: msg.bindings, beside: msg.beside})
		b.serve(ctx)
	case exhausted:
		b.pool.exhausted(ctx.Sender(), time.Now())
	case opened:
		b.opened(ctx, msg)
	case release:
		b.release(ctx, msg.unused)
	case noRoom:
		b.noRoom(ctx)
	case denied:
		b.noteDenial(ctx, msg.err)
	default:
		return false
	}
	return true
}

func (b *broker) start(ctx actor.Context) {
	c := b.core
	b.links = newLinks(&c.work)
	b.scouts = newScouts(b.links, b.dialer, &b.core.opener, &b.core.leftovers)
	b.watch.canaries = b.newCanaries(ctx)
	b.sayIfOneNode()
	b.await(ctx, firstLink)
	if wait := time.Until(b.redial.notBefore); wait > 0 {
		b.dialLater(ctx, wait)
		return
	}
	b.dial(ctx)
}

// await lets requests wait for a link for a while, instead of refusing them at once.
func (b *broker) await(ctx actor.Context, link awaitedLink) {
	b.timers.cancel(b.patience)
	b.awaited = link
	b.patience = b.timers.after(ctx, linkPatience, refuseWaiting{})
}

// serve grants leases to those who wait, in their order, as far as there are channels; the others
// wait on, or are refused where waiting would not help.
func (b *broker) serve(ctx actor.Context) {
	for b.serveNext(ctx) {
	}
	b.spread(ctx)
	b.tendSpares(ctx)
	b.sweep(ctx)
	b.closeIdleLater(ctx)
	b.core.opener.limited.Store(b.pool.total.strict)
}

// serveNext decides about the request that has waited longest, and reports whether to go on.
func (b *broker) serveNext(ctx actor.Context) bool {
	if b.tryExchanges(ctx) {
		return true
	}
	if b.awaitsDrops(ctx) {
		return false
	}
	owner, link, outcome := b.pool.next(time.Now())
	switch outcome {
	case granted:
		ctx.Send(owner, leased{link: link, herd: b.pool.herd(link), upkeep: b.upkeeps[link]})
		b.checkLater(ctx)
		if b.pool.shortOfChannels(time.Now()) {
			b.tryChannels(ctx, b.pool.beginScout)
		}
		return true
	case unverified:
		b.tryChannels(ctx, b.pool.beginScout)
	case limited:
		if !b.giveCanariesBack(ctx) {
			b.refuse(ctx, errNoChannelLeft)
		}
	case reserved:
		b.giveSparesBack()
	case full:
		b.another(ctx)
	}
	return false
}

// another dials one more link for those who wait, or refuses them where no link is in sight.
func (b *broker) another(ctx actor.Context) {
	switch {
	case b.dialing && len(b.pool.links) > 0:
		// it is on its way
	case b.pool.up() && !b.backOff:
		b.dial(ctx)
	case b.awaited == noLink:
		b.refuse(ctx, errNoBroker)
	}
}

func (b *broker) refuse(ctx actor.Context, err *Error) {
	owners := b.pool.clearWaiting()
	err = err.among(len(owners))
	for _, owner := range owners {
		ctx.Send(owner, refused{err: err})
	}
}

func (b *broker) opened(ctx actor.Context, msg opened) {
	b.pool.opened(ctx.Sender())
	b.pool.serves(ctx.Sender(), msg.node)
	b.allow()
	b.serve(ctx)
}

func (b *broker) release(ctx actor.Context, unused bool) {
	b.pool.noteLost(ctx.Sender())
	b.exchanges.withdraw(ctx.Sender())
	if b.pool.releases(ctx.Sender(), unused) {
		b.channelClosed(ctx)
	}
	b.pool.release(ctx.Sender())
	b.closeFinished()
	b.serve(ctx)
}

// end closes the links, and refuses the owners that wait for a channel, which would otherwise never
// be answered.
func (b *broker) end(ctx actor.Context) {
	b.timers.stop()
	b.refuse(ctx, errNoBroker)
	for _, owner := range b.exchanges.clear() {
		ctx.Send(owner, refused{err: errNoBroker})
	}
	b.links.closeAll()
	b.pool = newPool(b.core.options.Limits, noChannelLimit())
}

// publish keeps the gauges and the health that other goroutines read.
func (b *broker) publish() {
	c := b.core.count
	states := b.pool.states(time.Now())
	b.core.links.Store(&states)
	up := b.pool.up()
	c.up.Store(up)
	c.links.Store(int64(len(states)))
	c.linksWatched.Store(int64(b.pool.watched()))
	c.nodesBlind.Store(int64(b.pool.blindNodes()))
	c.leases.Store(int64(len(b.pool.leases)))
	c.waiting.Store(int64(b.pool.waiting.Len() + len(b.exchanges.owners)))
	switch {
	case up && b.pool.blindNodes() > 0:
		b.setState("blind") // some of it: the links say which
	case up:
		b.setState("up")
	case b.dialing:
		b.setState("dialing")
	default:
		b.setState("down")
	}
}
