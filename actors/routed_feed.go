package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// routedFeed is one queue for all streams whose bindings are on routed exchanges: it gets every
// message of them, and a router finds the streams that want it.
//
// Owns:    its consumer, the hub that its worker delivers to, and the queue's bindings, which a
// binder makes.
// Parent:  feeds; never restarted.
// Ends:    its consumer failed, a message has shown that the operator's list is wrong, or feeds
// stops it when no stream is attached.
//
// The queue is bound to an exchange when the first stream wants it, with the pattern #, and stays
// so:
//
//	attach ─▶ tryExchange ─▶ exchangeUsable ─▶ bound in a goroutine ─▶ exchangeBound ─▶ ready
//	            (broker)                          └── again, now and then: bindAgain
//
// A stream is ready when all its exchanges are bound; where they are already, at once. What goes
// wrong with an exchange is told to the streams that want it, and the others do not notice: the
// queue is bound on channels of their own. An answer that does not come in time is such a thing
// (routed_late.go).
type routedFeed struct {
	feedQueue
	core      *core
	hub       *routedHub
	upkeep    *upkeep                    // of the link, once there is one
	binder    *binder                    // the same
	exchanges map[string]*routedExchange // nil until the queue is there
	waiting   map[*Stream]newcomer       // streams whose exchanges are not all bound
	timers    timers
	check     *timer // of the next look for what has waited long enough
}

// routedExchange is an exchange that a stream has wanted.
type routedExchange struct {
	rebound *rebound  // nil until the queue is bound to it
	asked   time.Time // when the broker actor or the broker was asked; zero: no answer is awaited
	binds   int       // those without an answer, be it awaited or not
}

// newcomer is a stream that waits for its exchanges.
type newcomer struct {
	connection *actor.PID
	bindings   []amqp.Binding
	since      time.Time // of the queue, or of the attach where that was later
}

func newRoutedFeed(c *core, n *node, broker *actor.PID) *routedFeed {
	f := &routedFeed{core: c, waiting: map[*Stream]newcomer{}}
	limits := c.limits()
	in := intake{queue: amqp.QueueName(c.options.Namespace), prefetch: limits.FeedPrefetch, bytes: feedBytes * limits.BacklogBytes}
	f.feedQueue = feedQueue{node: n, source: source{core: c, node: n, broker: broker, intake: in, beside: true}}
	return f
}

// Receive handles the queue, its exchanges, and the streams that come and go.
func (f *routedFeed) Receive(ctx actor.Context) {
	switch msg := f.timers.event(ctx.Message()).(type) {
	case *actor.Started:
		f.start(ctx)
	case attach:
		f.attach(ctx, msg)
	case detach:
		f.detach(msg.stream)
	case leased:
		f.leased(ctx, msg)
	case subscribed:
		f.subscribed(ctx)
	case exchangeUsable:
		f.exchangeUsable(ctx, msg)
	case exchangeBound:
		f.exchangeBound(ctx, msg)
	case exchangeUnusable:
		f.refuse(msg.exchange, msg.err)
	case bindAgain:
		f.bindAgain(ctx, msg.exchange)
	case bindingLate:
		f.late(ctx)
	case misrouted:
		f.misrouted(ctx, msg.exchange)
	case *actor.Stopping:
		f.end()
	case *actor.Stopped:
		f.end()
		f.receive(ctx)
	default:
		f.receive(ctx)
	}
}

func (f *routedFeed) start(ctx actor.Context) {
	root, self := f.core.rootContext, ctx.Self()
	f.hub = newRoutedHub(f.core.count, func(exchange string) { root.Send(self, misrouted{exchange: exchange}) })
	f.source.intake.sink = f.hub
	f.open(ctx)
}

func (f *routedFeed) leased(ctx actor.Context, msg leased) {
	f.upkeep, f.binder = msg.upkeep, newBinder(f.core, msg.link, f.source.intake.queue, msg.upkeep.errands)
	f.source.consume(ctx, msg)
}

// attach makes a stream ready at once where all its exchanges are bound; else it waits for them.
func (f *routedFeed) attach(ctx actor.Context, msg attach) {
	f.attached.Add(1)
	n := newcomer{connection: ctx.Sender(), bindings: msg.bindings}
	if f.bound(n) {
		f.welcome(ctx, msg.stream, n)
		return
	}
	f.waiting[msg.stream] = n
	if f.exchanges != nil {
		f.want(ctx, msg.stream, n)
	}
}

func (f *routedFeed) detach(s *Stream) {
	f.attached.Add(-1)
	f.hub.detach(s)
	delete(f.waiting, s)
}

// subscribed: the queue is there, and bound to nothing.
func (f *routedFeed) subscribed(ctx actor.Context) {
	f.source.subscribed()
	f.exchanges = map[string]*routedExchange{}
	for s, n := range f.waiting {
		f.want(ctx, s, n)
	}
}

// want has those of a stream's exchanges tried that are neither bound nor being tried.
func (f *routedFeed) want(ctx actor.Context, s *Stream, n newcomer) {
	n.since = time.Now()
	f.waiting[s] = n
	f.checkLater(ctx)
	for _, b := range n.bindings {
		f.try(ctx, b.Exchange)
	}
}

// mostUnanswered is how many binds to one exchange may be without an answer: each has a channel, and
// keeps it for as long as the link lives.
const mostUnanswered = 3

// try has an exchange tried and then bound, unless it is, or that is under way. Where a bind had no
// answer, the broker actor is not to rely on what it knows: that would cost a channel each time.
func (f *routedFeed) try(ctx actor.Context, exchange string) {
	e := f.exchanges[exchange]
	if e == nil {
		e = &routedExchange{}
		f.exchanges[exchange] = e
	}
	if e.rebound == nil && e.asked.IsZero() && e.binds < mostUnanswered {
		e.asked = time.Now()
		ctx.Request(f.source.broker, tryExchange{binding: allOf(exchange), again: e.binds > 0})
	}
}

// bound reports whether the queue is bound to all exchanges of a stream.
func (f *routedFeed) bound(n newcomer) bool {
	for _, b := range n.bindings {
		if e := f.exchanges[b.Exchange]; e == nil || e.rebound == nil {
			return false
		}
	}
	return true
}

func (f *routedFeed) welcome(ctx actor.Context, s *Stream, n newcomer) {
	f.hub.attach(s, n.bindings)
	ctx.Send(n.connection, subscribed{})
}

// exchangeUsable: the exchange may be bound on a link with streams, or may not.
func (f *routedFeed) exchangeUsable(ctx actor.Context, msg exchangeUsable) {
	e := f.exchanges[msg.exchange]
	switch {
	case e == nil || e.rebound != nil || e.binds >= mostUnanswered:
		// it was refused meanwhile, or an earlier bind has had its answer, or none has
	case msg.err != nil:
		f.refuse(msg.exchange, msg.err)
	default:
		f.hub.expect(msg.exchange)
		f.bind(ctx, msg.exchange, e, func() {})
	}
}

// bind binds the queue to an exchange in a goroutine, which calls done when the broker has
// answered. It ends with the link at the latest.
func (f *routedFeed) bind(ctx actor.Context, exchange string, e *routedExchange, done func()) {
	asked := time.Now()
	e.asked = asked
	e.binds++
	f.checkLater(ctx)
	root, self, binder := f.core.rootContext, ctx.Self(), f.binder
	f.core.work.Go(func() {
		err := binder.bind(exchange)
		done()
		root.Send(self, exchangeBound{exchange: exchange, asked: asked, err: err})
	})
}

// exchangeBound: the broker has answered. A binding that could not be repeated for another reason
// than a refusal is repeated at the next time; where the link is lost, the worker hears of it too.
func (f *routedFeed) exchangeBound(ctx actor.Context, msg exchangeBound) {
	e := f.exchanges[msg.exchange]
	if e == nil {
		return // this feed has ended
	}
	e.binds--
	if e.asked.Equal(msg.asked) { // else it is not awaited any more, but perhaps a later one
		e.asked = time.Time{}
	}
	switch {
	case msg.err == nil && e.rebound == nil:
		f.keepBound(ctx, msg.exchange, e)
	case msg.err == nil:
		// it was repeated
	case isGone(msg.err, f.binder.queue):
		// the queue's worker hears why
	case e.rebound == nil:
		f.unexpect(msg, e)
		f.refuse(msg.exchange, openFailure(msg.err, f.binder.queue))
	case amqp.KindOf(msg.err) == amqp.Refused:
		f.refuse(msg.exchange, rebindFailure(msg.err, f.binder.queue))
	}
}

// unexpect: the broker has refused to bind an exchange, so that no message of it comes. An error of
// another kind, and a bind without an answer, may mean that it was bound.
func (f *routedFeed) unexpect(msg exchangeBound, e *routedExchange) {
	if amqp.KindOf(msg.err) == amqp.Refused && e.binds == 0 {
		f.hub.forget(msg.exchange)
	}
}

// keepBound has the binding repeated, and welcomes the streams that have waited for it.
func (f *routedFeed) keepBound(ctx actor.Context, exchange string, e *routedExchange) {
	root, self := f.core.rootContext, ctx.Self()
	e.rebound = f.upkeep.rebinder.add([]amqp.Binding{allOf(exchange)}, func() { root.Send(self, bindAgain{exchange: exchange}) },
		func(err *Error) { root.Send(self, exchangeUnusable{exchange: exchange, err: err}) })
	for s, n := range f.waiting {
		if f.bound(n) {
			delete(f.waiting, s)
			f.welcome(ctx, s, n)
		}
	}
}

func (f *routedFeed) bindAgain(ctx actor.Context, exchange string) {
	if e := f.exchanges[exchange]; e != nil && e.rebound != nil {
		rebound := e.rebound
		f.bind(ctx, exchange, e, func() { f.upkeep.rebinder.done(rebound) })
	}
}

// refuse ends the streams that want an exchange. The next one that does has it tried again.
func (f *routedFeed) refuse(exchange string, err *Error) {
	if e := f.exchanges[exchange]; e != nil {
		f.release(e)
		if e.binds == 0 {
			delete(f.exchanges, exchange)
		}
	}
	streams := f.hub.on(exchange)
	for s, n := range f.waiting {
		if n.wants(exchange) {
			streams = append(streams, s)
		}
	}
	f.cut(streams, err)
}

// cut ends streams. Each of them detaches in a moment.
func (f *routedFeed) cut(streams []*Stream, err *Error) {
	err = err.among(len(streams))
	for _, s := range streams {
		delete(f.waiting, s)
		s.Fail(err)
	}
}

// misrouted: a message has come from an exchange that the queue is not bound to, so one that it is
// bound to gets messages of others; which one cannot be seen. None of them is routed any more: their
// streams come back to queues of their own, which the broker fills as it should.
func (f *routedFeed) misrouted(ctx actor.Context, from string) {
	exchanges := f.hub.exchanges()
	f.core.routing.distrust(exchanges)
	f.core.count.misrouted.Add(1)
	f.core.log.Error("a routed queue has received a message of an exchange that it is not bound to: "+
		"an exchange is bound to one of those below, or has one of them as its alternate exchange; they are no longer routed",
		"from", from, "exchanges", exchanges, "streams", f.attached.Load())
	f.fail(ctx, errMisrouted)
}

func (f *routedFeed) end() {
	f.timers.stop()
	f.hub.clear()
	for _, e := range f.exchanges {
		f.release(e)
	}
	f.exchanges = nil
	if f.binder != nil {
		f.core.work.Go(f.binder.close)
		f.binder = nil
	}
}

// release ends the repetitions of a binding, if there are any, and awaits no answer any more.
func (f *routedFeed) release(e *routedExchange) {
	e.asked = time.Time{}
	if e.rebound != nil {
		f.upkeep.rebinder.remove(e.rebound)
		e.rebound = nil
	}
}

func (n newcomer) wants(exchange string) bool {
	for _, b := range n.bindings {
		if b.Exchange == exchange {
			return true
		}
	}
	return false
}
