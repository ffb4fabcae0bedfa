package actors

import (
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// receiveScout handles what scouts are asked for, and what they report.
// It reports whether the message was one of these.
func (b *broker) receiveScout(ctx actor.Context, message any) bool {
	switch msg := message.(type) {
	case exchangeTried:
		b.exchangeTried(ctx, msg)
	case tryExchange:
		b.tryExchange(ctx, msg)
	case tryAgain:
		b.tryAgain(ctx, msg)
	case limitMet:
		b.limitMet(msg.by)
	case channelsTried:
		b.channelsTried(ctx, msg)
	case dropsTried:
		b.dropsTried(ctx, msg)
	case rightsTried:
		b.rightsTried(ctx, msg)
	case tryRights:
		b.tryRights(ctx)
	case closeScouts:
		b.scouts.closeIdle()
	default:
		return false
	}
	return true
}

// The broker actor and its scouts: what may end a link is tried where no stream is.

func channelLimitOf(o Options) channelLimit {
	if o.NoScouts {
		return noChannelLimit()
	}
	return newChannelLimit()
}

// tryExchanges takes the request that has waited longest out of the queue if it asks for an
// exchange that was never bound, and sends scouts. It reports whether it did.
func (b *broker) tryExchanges(ctx actor.Context) bool {
	r, waits := b.pool.first()
	if b.core.options.NoScouts || !waits || r.untried || !b.pool.up() || !b.pool.mayScout(time.Now()) || b.exchanges.known(r.bindings) {
		return false
	}
	b.pool.withdraw(r.owner)
	for _, binding := range b.exchanges.hold(r) {
		b.scoutExchange(ctx, binding)
	}
	return true
}

// tryExchange answers a feed that is to bind one more exchange, when that was tried. Where there is no
// channel for a scout it may be bound untried: the operator has stated that it is a topic exchange, and
// a refusal ends the channel that the feed binds on, no other.
func (b *broker) tryExchange(ctx actor.Context, msg tryExchange) {
	binding := msg.binding
	known := !msg.again && b.exchanges.known([]amqp.Binding{binding})
	if b.core.options.NoScouts || known || !b.pool.mayScout(time.Now()) {
		ctx.Respond(exchangeUsable{exchange: binding.Exchange})
		return
	}
	if b.exchanges.ask(binding.Exchange, ctx.Sender()) {
		b.scoutExchange(ctx, binding)
	}
}

func (b *broker) scoutExchange(ctx actor.Context, binding amqp.Binding) {
	b.scoutSent()
	root, self, links := b.core.rootContext, ctx.Self(), b.links
	queue := amqp.QueueName(b.core.options.Namespace)
	b.scouts.bind(queue, binding, func(err error) {
		root.Send(self, exchangeTried{by: links, exchange: binding.Exchange, queue: queue, err: err})
	})
}

// recheck returns what a rebinder asks whether the exchange of a binding can be bound; nil where there
// are no scouts. It does not wait: report is called once, with nil, errUntried, errNoScout or what the
// exchange's streams are to be told; not at all where this life of the broker actor ends before, and
// its links with it.
func (b *broker) recheck(ctx actor.Context) func(binding amqp.Binding, report func(error)) {
	if b.core.options.NoScouts {
		return nil
	}
	root, self, links := b.core.rootContext, ctx.Self(), b.links
	return func(binding amqp.Binding, report func(error)) {
		root.Send(self, tryAgain{by: links, binding: binding, report: report})
	}
}

// tryAgain answers a rebinder, which is to repeat a binding, when that was tried or cannot be.
func (b *broker) tryAgain(ctx actor.Context, msg tryAgain) {
	if msg.by != b.links {
		return
	}
	exchange, now := msg.binding.Exchange, time.Now()
	err, stands := b.rechecks.result(exchange, now)
	switch under := b.rechecks.waiting[exchange] != nil; {
	case stands:
		msg.report(err)
	case !under && !b.pool.mayScout(now):
		msg.report(errUntried)
	case b.rechecks.wait(exchange, msg.report):
		b.scoutExchange(ctx, msg.binding)
	}
}

// exchangeTried: those who have waited for the exchange go on, or are told what is wrong with it.
// Where no scout reaches the broker they go on, too: nothing is known against them.
func (b *broker) exchangeTried(ctx actor.Context, msg exchangeTried) {
	if msg.by != b.links {
		return // tried for an earlier life of this actor
	}
	b.scoutBack(ctx, msg.err)
	b.rechecks.tried(msg.exchange, msg.err, time.Now())
	if untried := errors.Is(msg.err, errNoScout); msg.err == nil || untried {
		for _, r := range b.exchanges.passed(msg.exchange, !untried) {
			b.pool.wait(r)
		}
		b.answerAsked(ctx, msg.exchange, nil)
		b.serve(ctx)
		return
	}
	err := failureOf(msg.err)
	if isDenied(err, msg.queue) {
		b.noteDenial(ctx, err)
	}
	for _, owner := range b.exchanges.failed(msg.exchange) {
		ctx.Send(owner, refused{err: err})
	}
	b.answerAsked(ctx, msg.exchange, err)
}

func (b *broker) answerAsked(ctx actor.Context, exchange string, err *Error) {
	for _, feed := range b.exchanges.answer(exchange) {
		ctx.Send(feed, exchangeUsable{exchange: exchange, err: err})
	}
}

// tryChannels sends a scout to find out how many more channels the broker allows, unless one is
// under way. begin returns how many it is to open. Where a limit is known it waits for channels that
// will be free in a moment, each of which brings serve: they would count as what is not allowed.
func (b *broker) tryChannels(ctx actor.Context, begin func() int) {
	if b.pool.total.scouting() || b.pool.momentary() > 0 {
		return
	}
	n := begin()
	b.core.count.scouts.Add(1)
	root, self, links := b.core.rootContext, ctx.Self(), b.links
	met := func() { root.Send(self, limitMet{by: links}) }
	b.scouts.channels(n, met, func(opened int, err error) {
		root.Send(self, channelsTried{by: links, opened: opened, err: err})
	})
}

// limitMet: the scout counts how many channels the broker allows. Until it has, it may hold all that
// are left.
func (b *broker) limitMet(by *links) {
	if by == b.links {
		b.pool.total.strict = true
		b.core.opener.limited.Store(true)
	}
}

func (b *broker) channelsTried(ctx actor.Context, msg channelsTried) {
	if msg.by != b.links {
		return
	}
	b.closeScoutsLater(ctx)
	switch {
	case msg.err == nil, amqp.KindOf(msg.err) == amqp.Exhausted:
		b.pool.total.allowed(msg.opened, time.Now())
	case amqp.CodeOf(msg.err) == amqp.NotAllowed && b.pool.total.repeat():
		b.tryChannels(ctx, b.pool.beginScout)
	case amqp.CodeOf(msg.err) == amqp.NotAllowed:
		channels := b.pool.channels() + msg.opened
		b.pool.total.reached(channels, time.Now())
		b.core.log.Warn("the broker allows this service no further channel", "channels", channels)
	default:
		b.pool.total.unknowable(time.Now())
	}
	b.serve(ctx)
}

// learnFromLoss forgets what scouts have found out where the broker has ended a link for what was
// done on it, or where no link is left: the broker that comes next may be another. It is tried
// again then.
func (b *broker) learnFromLoss(ctx actor.Context, err error) {
	if amqp.Provoked(err) || len(b.pool.links) == 0 {
		b.exchanges.forget()
	}
	if len(b.pool.links) == 0 {
		b.forgetDrops()
	}
	switch {
	case amqp.CodeOf(err) == amqp.NotAllowed:
		b.pool.total.met()
		b.giveCanariesBack(ctx)
	case len(b.pool.links) == 0 && !b.pool.total.strict:
		b.pool.total = channelLimitOf(b.core.options)
	}
}

// closeScoutsLater closes the scouts' links when they have not been used for a while.
func (b *broker) closeScoutsLater(ctx actor.Context) {
	b.timers.cancel(b.idleScout)
	b.idleScout = b.timers.after(ctx, idleScoutTimeout, closeScouts{})
}

// noteDenial: the broker lets this service not make or use its own queues. That is no stream's
// fault, and only an operator can mend it: it is said loudly, and tried again until it works.
func (b *broker) noteDenial(ctx actor.Context, err *Error) {
	b.core.count.denied.Add(1)
	b.forgetDrops() // the right to the exchange of dead letters may be what it lacks
	if b.denied.due(time.Now()) {
		b.core.log.Error("the broker denies this service the right to make and use its queues: no stream can be opened",
			"namespace", b.core.options.Namespace, "error", err)
	}
	if !b.core.count.isDenied.Swap(true) {
		b.timers.after(ctx, tryRightsEvery, tryRights{})
	}
}

// allow: a stream has its queue, so that the service has its rights.
func (b *broker) allow() {
	if b.core.count.isDenied.Swap(false) {
		b.core.log.Info("the broker lets this service make its queues again")
	}
}

// tryRights looks whether the service has its rights again: without streams nothing else would
// tell.
func (b *broker) tryRights(ctx actor.Context) {
	if !b.core.count.isDenied.Load() {
		return
	}
	if !b.pool.mayScout(time.Now()) {
		b.timers.after(ctx, tryRightsEvery, tryRights{})
		return
	}
	b.scoutSent()
	root, self, links := b.core.rootContext, ctx.Self(), b.links
	b.scouts.declare(amqp.QueueName(b.core.options.Namespace), func(err error) { root.Send(self, rightsTried{by: links, err: err}) })
}

func (b *broker) rightsTried(ctx actor.Context, msg rightsTried) {
	if msg.by != b.links {
		return
	}
	b.scoutBack(ctx, msg.err)
	if msg.err == nil {
		b.allow()
	}
	if b.core.count.isDenied.Load() {
		b.timers.after(ctx, tryRightsEvery, tryRights{})
	}
}

const (
	// tryRightsEvery is the time between looks whether the service has its rights again.
	tryRightsEvery = 15 * time.Second
	// logDenialEvery is the time between two log lines about missing rights.
	logDenialEvery = time.Minute
)

// denial limits the log lines about missing rights.
type denial struct{ logged time.Time }

func (d *denial) due(now time.Time) bool {
	if !d.logged.IsZero() && now.Sub(d.logged) < logDenialEvery {
		return false
	}
	d.logged = now
	return true
}
