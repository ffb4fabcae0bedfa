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
// a new lease goes to the link with the fewest. A node that comes back gets a link again. Streams
// that are open stay where they are.

// spreadEvery is the time between two looks for a node without a link, spread by ± 10 %.
const spreadEvery = 10 * time.Second

// spread dials a node that has no link, where links lead to too few nodes. No stream waits for it.
func (b *broker) spread(ctx actor.Context) {
	cluster, ok := b.core.options.Dialer.(amqp.Cluster)
	if !ok || b.spreading || !b.pool.tooFewNodes(spreadOver) {
		return
	}
	b.spreading = true
	root, self, links := b.core.rootContext, ctx.Self(), b.links
	links.dial(elsewhere{cluster, b.pool.addresses(true)}, func(link amqp.Link, err error) {
		root.Send(self, dialedElsewhere{by: links, link: link, err: err})
	})
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

// elsewhere is a dialer for the addresses that have no link.
type elsewhere struct {
	amqp.Cluster
	taken map[string]bool
}

func (e elsewhere) Dial(ctx context.Context) (amqp.Link, error) {
	return e.DialWhere(ctx, func(address string) bool { return !e.taken[address] })
}
