package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The broker actor and the nodes of a cluster. A node's end ends the streams of its links, so links
// are spread: as soon as streams need more than one lease, up to three nodes have a link each, and
// a new lease goes to the node with the fewest. A node that comes back gets a link again, and
// streams, too (balance.go).

// spreadEvery is the time between two looks for a node without a link, spread by ± 10 %.
const spreadEvery = 10 * time.Second

// spread dials a node that has no link, where links lead to too few nodes, or one whose links are
// full while another one serves more streams. No stream waits for it.
func (b *broker) spread(ctx actor.Context) {
	cluster, ok := b.core.options.Dialer.(amqp.Cluster)
	if !ok || b.spreading {
		return
	}
	may := b.wantedNode()
	if may == nil {
		return
	}
	b.spreading = true
	root, self, links := b.core.rootContext, ctx.Self(), b.links
	links.dial(where{cluster, may}, func(link amqp.Link, err error) {
		root.Send(self, dialedElsewhere{by: links, link: link, err: err})
	})
}

// wantedNode returns which addresses are to be dialed, nil where none is.
func (b *broker) wantedNode() (may func(address string) bool) {
	few, crowded := b.pool.tooFewNodes(spreadOver), b.pool.crowded(time.Now())
	if !few && crowded == "" {
		return nil
	}
	taken := b.pool.addresses(true)
	return func(a string) bool { return few && !taken[a] || crowded != "" && a == crowded }
}

func (b *broker) dialedElsewhere(ctx actor.Context, msg dialedElsewhere) {
	if msg.by != b.links {
		return // dialed before this actor was restarted: the link is closed already
	}
	if errors.Is(msg.err, amqp.ErrNoAddress) { // every node has a link
		b.timers.after(ctx, jitter(spreadEvery), spreadDue{})
		return
	}
	b.core.count.dials.Add(1)
	if msg.err != nil {
		b.core.count.dialsFailed.Add(1)
		b.core.log.Warn("no further node of the broker reached", "error", msg.err, "links", len(b.pool.links))
		b.timers.after(ctx, jitter(spreadEvery), spreadDue{})
		return
	}
	b.spreading = false
	b.use(ctx, msg.link)
}

// where is a dialer for some of a cluster's addresses.
type where struct {
	amqp.Cluster
	may func(address string) bool
}

func (w where) Dial(ctx context.Context) (amqp.Link, error) { return w.DialWhere(ctx, w.may) }

// linked is called when a link has come, disturbed when one has gone or a node is blind or no longer
// so: a while later the nodes are compared.
func (b *broker) linked(ctx actor.Context, l *linkEntry) {
	switch {
	case b.core.options.NoRebalance:
	case b.pool.onlyOfItsNode(l):
		b.disturbed(ctx)
	default:
		if wait := b.balance.look(time.Now()); wait > 0 {
			b.rebalanceIn(ctx, wait)
		}
	}
}

func (b *broker) disturbed(ctx actor.Context) {
	if !b.core.options.NoRebalance {
		b.rebalanceIn(ctx, b.balance.disturb(time.Now()))
	}
}

func (b *broker) rebalanceIn(ctx actor.Context, wait time.Duration) {
	b.timers.cancel(b.rebalancing)
	b.rebalancing = b.timers.after(ctx, wait, rebalanceDue{})
}

// rebalance ends a few streams of a node that has far more than its share.
func (b *broker) rebalance(ctx actor.Context) {
	from, n, again := b.balance.next(b.pool.usableLoads(), time.Now())
	for _, owner := range b.pool.movable(from, n) {
		b.core.count.moved.Add(1)
		ctx.Send(owner, finish{err: errMoved.among(n)})
	}
	if again > 0 {
		b.rebalanceIn(ctx, again)
	}
}
