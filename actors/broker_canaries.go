package actors

import (
	"context"
	"errors"
	"maps"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The broker actor and nodes that are blind: that a partition has cut off from the others of their
// cluster while their links live on (sight.go). The streams of their links are told, and they get no
// new ones; one link to each is kept, whose ear shows when it hears the others again.

// watch is what the broker actor holds for this.
type watch struct {
	canaries *canaries // nil where the broker has no addresses of its own to choose from
	sight    *sight
	round    *timer    // the next; nil while links lead to one node
	last     time.Time // when the last round was
	rest     map[string]time.Time
	off      time.Time // until when there are no canaries
	said     bool      // why there are none
}

// receiveCanary handles the rounds of canaries. It reports whether the message was one of these.
func (b *broker) receiveCanary(ctx actor.Context, message any) bool {
	switch msg := message.(type) {
	case canaryDue:
		b.canaryRound(ctx)
	case earOpened:
		b.earOpened(msg)
	case earEnded:
		b.earEnded(ctx, msg)
	case feederEnded:
		b.feederEnded(ctx, msg)
	case canariesCounted:
		b.countCanaries(ctx)
	default:
		return false
	}
	return true
}

const (
	// canaryEvery is the time between two rounds.
	canaryEvery = 3 * time.Second
	// canaryRest is the time until an ear or a feeder that has failed is made again at its node.
	canaryRest = 15 * time.Second
	// canariesOff is the time until canaries are tried again that the broker has denied.
	canariesOff = 5 * time.Minute
)

func newWatch() watch { return watch{sight: newSight(), rest: map[string]time.Time{}} }

func (b *broker) newCanaries(ctx actor.Context) *canaries {
	cluster, ok := b.core.options.Dialer.(amqp.Cluster)
	if !ok {
		return nil
	}
	root, self := b.core.rootContext, ctx.Self()
	return newCanaries(b.links, cluster, b.core.options.Namespace, func(message any) { root.Send(self, message) })
}

// sayIfOneNode logs that no partition can be noticed where the broker has one address. It resolves
// names, in a goroutine; a broker in this process, which has no user, has no cluster either.
func (b *broker) sayIfOneNode() {
	cluster, ok := b.core.options.Dialer.(amqp.Cluster)
	if !ok || amqp.User(cluster) == "" || b.core.saidOneNode.Swap(true) {
		return
	}
	ctx, log := b.links.ctx, b.core.log
	b.links.work.Go(func() {
		_ = guarded("addresses", func() error {
			if n := len(cluster.Addresses(ctx)); n < 2 && ctx.Err() == nil {
				log.Info("the broker has one address: if it stands for a cluster, a partition of it cannot be noticed: see cluster_partition_handling in the README")
			}
			return nil
		})
	})
}

// watchNodes begins the rounds where links lead to two nodes or more.
func (b *broker) watchNodes(ctx actor.Context) {
	if w := &b.watch; w.canaries != nil && w.round == nil && b.severalNodes() {
		w.last = time.Now()
		w.round = b.timers.after(ctx, jitter(canaryEvery), canaryDue{})
	}
}

// severalNodes reports whether there are nodes to be compared, or to be blind.
func (b *broker) severalNodes() bool {
	return len(b.pool.addresses(true)) > 1 || len(b.watch.sight.blind) > 0
}

// comparesNodes reports whether canaries are of use: there are streams on several nodes to be told, or
// newcomers to be kept from one that is blind.
func (b *broker) comparesNodes() bool {
	return b.severalNodes() && (b.pool.several() || len(b.watch.sight.blind) > 0)
}

// canaryRound judges what was heard since the last round, and begins the next. A round that comes
// late proves nothing: this process stood still, and what has arrived meanwhile was not read.
func (b *broker) canaryRound(ctx actor.Context) {
	w, now := &b.watch, time.Now()
	if w.round = nil; now.Sub(w.last) > 2*canaryEvery {
		w.sight.skip()
	} else {
		w.sight.judge()
		b.followSight(ctx)
	}
	if b.comparesNodes() && !now.Before(w.off) {
		b.tendCanaries(ctx, now)
		w.canaries.send()
	} else {
		w.canaries.endAll()
	}
	b.watchNodes(ctx)
}

// followSight takes blind nodes out of use, and those that hear again into it.
func (b *broker) followSight(ctx actor.Context) {
	changed := false
	for _, l := range b.pool.links {
		if blind := b.watch.sight.blind[l.address]; blind != l.blind {
			l.blind, changed = blind, true
			if blind {
				b.endBlind(ctx, l)
			} else {
				b.core.log.Info("broker node hears the others again", "address", l.address)
			}
		}
	}
	for _, link := range b.watch.sight.deaf() {
		if l := b.pool.find(link); l != nil {
			b.endBlind(ctx, l)
			b.pool.remove(link)
			b.links.close(link, linkCloseTimeout)
		}
	}
	if changed {
		b.dialer.avoid(b.watch.sight.blind)
		b.disturbed(ctx)
		b.scouts.closeIdle() // they may lead to a node that is blind now
		if !b.pool.up() {
			b.await(ctx, nextLink)
			b.dial(ctx)
		}
		b.serve(ctx)
	}
}

// endBlind ends the streams of a link that hears only a part of what is published.
func (b *broker) endBlind(ctx actor.Context, l *linkEntry) {
	leases, streams := b.pool.leasesOn(l)
	b.core.log.Error("broker node does not hear the others: a partition of the cluster has left it alone",
		"address", l.address, "streams", streams)
	for _, lease := range leases {
		if lease.opening {
			ctx.Send(lease.owner, refused{err: errNoBroker.among(streams)})
		} else {
			ctx.Send(lease.owner, finish{err: errBlind.among(streams)})
		}
	}
}

// tendCanaries sees to it that each link has an ear and each node a feeder, as far as there are
// channels that no stream needs.
func (b *broker) tendCanaries(ctx actor.Context, now time.Time) {
	w, nodes := &b.watch, b.pool.addresses(true)
	for address := range w.canaries.feeders {
		if !nodes[address] {
			w.canaries.endFeeder(address)
		}
	}
	short := false
	tend := func(l *linkEntry, start func()) {
		switch {
		case now.Before(w.rest[l.address]):
		case !b.pool.spare(l, now):
			short = true
		default:
			start()
			b.pool.aside++
		}
	}
	for _, l := range b.pool.links {
		if l.address != "" && w.canaries.ears[l.link] == nil && !l.retired {
			tend(l, func() { w.canaries.listen(l.link) })
		}
	}
	for _, l := range b.pool.links {
		if l.watched && w.canaries.feeders[l.address] == nil {
			tend(l, func() { w.canaries.feed(l.address) })
		}
	}
	if total := &b.pool.total; short && total.limit == 0 && total.check(b.pool.granted(), b.pool.crowd(), now) == unverified {
		b.tryChannels(ctx, b.pool.beginScout)
	}
}

// unwatch is called before a link is closed that is not needed.
func (b *broker) unwatch(link amqp.Link) {
	if b.watch.canaries != nil {
		b.watch.canaries.endEar(link)
	}
}

// forgetBlind lets blind nodes without a link be dialed again, where no other node can be.
func (b *broker) forgetBlind() {
	linked := b.pool.addresses(true)
	maps.DeleteFunc(b.watch.sight.blind, func(address string, _ bool) bool { return !linked[address] })
	b.dialer.avoid(b.watch.sight.blind)
}

func (b *broker) canaryHeard(msg canaryHeard) {
	if msg.by == b.links {
		b.watch.sight.hear(msg.link, msg.from)
	}
}

func (b *broker) earOpened(msg earOpened) {
	if l := b.pool.find(msg.link); msg.by == b.links && l != nil {
		l.watched = true
		b.watch.sight.add(msg.link)
	}
}

func (b *broker) earEnded(ctx actor.Context, msg earEnded) {
	if msg.by != b.links {
		return // of an earlier life of this actor
	}
	b.watch.sight.remove(msg.link)
	if l := b.pool.find(msg.link); l != nil {
		l.watched = false
	}
	b.canaryEnded(ctx, b.watch.canaries.earEnded(msg), amqp.Address(msg.link), msg.err)
}

func (b *broker) feederEnded(ctx actor.Context, msg feederEnded) {
	if msg.by == b.links {
		b.canaryEnded(ctx, b.watch.canaries.feederEnded(msg), msg.address, msg.err)
	}
}

// canaryEnded is called when the channel of an ear or a feeder is closed, which it was asked for or
// has failed.
func (b *broker) canaryEnded(ctx actor.Context, asked bool, address string, err error) {
	b.timers.after(ctx, countingRest, canariesCounted{})
	w, denied := &b.watch, amqp.KindOf(err) == amqp.Refused && amqp.CodeOf(err) == amqp.AccessRefused
	switch {
	case asked:
	case amqp.CodeOf(err) == amqp.NotFound: // the exchange was deleted, and its bindings
		w.canaries.endAll()
	case denied || errors.Is(err, errNoCanaries):
		w.canaries.endAll()
		w.off = time.Now().Add(canariesOff)
		if !w.said {
			w.said = true
			b.core.log.Warn("a node of the broker that a partition cuts off cannot be noticed: see cluster_partition_handling in the README", "error", err)
		}
	default:
		b.core.log.Debug("canaries of a broker node failed", "address", address, "error", err)
		w.rest[address] = time.Now().Add(canaryRest)
	}
}

// giveCanariesBack ends canaries because streams need their channels. It reports whether streams may
// still hope for these.
func (b *broker) giveCanariesBack(ctx actor.Context) bool {
	w := &b.watch
	if w.canaries == nil || b.pool.aside == 0 {
		return false
	}
	if w.canaries.endAll() {
		w.off = time.Now().Add(limitTimeout)
		b.core.log.Warn("channels are short: nodes of the broker are not watched for a while", "channels", b.pool.aside)
		b.timers.after(ctx, linkCloseTimeout, canariesCounted{}) // whether they are closed by then or not
	}
	return time.Now().Before(w.off.Add(linkCloseTimeout - limitTimeout))
}

// countCanaries is called when the broker has counted channels as closed.
func (b *broker) countCanaries(ctx actor.Context) {
	if b.watch.canaries != nil {
		b.pool.aside = b.watch.canaries.channels()
		b.pool.total.dropped(b.pool.channels())
	}
	b.serve(ctx)
}

// sightedDialer dials no node that is blind. Its methods may be called concurrently.
type sightedDialer struct {
	amqp.Dialer
	blind atomic.Pointer[map[string]bool]
}

// avoid makes the dialer dial none of the addresses. It keeps a copy.
func (d *sightedDialer) avoid(blind map[string]bool) {
	blind = maps.Clone(blind)
	d.blind.Store(&blind)
}

func (d *sightedDialer) Dial(ctx context.Context) (amqp.Link, error) {
	cluster, ok := d.Dialer.(amqp.Cluster)
	if blind := d.blind.Load(); ok && blind != nil && len(*blind) > 0 {
		return cluster.DialWhere(ctx, func(a string) bool { return !(*blind)[a] })
	}
	return d.Dialer.Dial(ctx)
}
