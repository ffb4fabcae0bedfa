package chaos

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/random"
	"github.com/taskcluster/events-proxy/test/script"
)

// Clusters provides each script with a virtual host and a user of its own on the nodes of one
// cluster. The proxy knows all nodes, and there is no gate before them.
type Clusters struct{ Cluster *rabbit.Cluster }

// Name is the condition that holds in scripts.
func (Clusters) Name() string { return "rabbitmq" }

// Shared reports whether the scripts have one cluster.
func (Clusters) Shared() bool { return true }

// For makes the broker of one script.
func (c Clusters) For(name string) (script.Broker, error) {
	ctx, cancel := context.WithTimeout(context.Background(), script.NodePatience)
	defer cancel()
	b := &clustered{cluster: c.Cluster, user: "chaos-" + name, password: "secret-" + name, vhost: "chaos-" + name}
	if err := c.Cluster.Heal(ctx); err != nil {
		return nil, err
	}
	first := c.Cluster.Node(0)
	if err := first.AddUser(ctx, b.user, b.password); err != nil {
		return nil, err
	}
	var err error
	if b.host, err = first.VHost(ctx, b.vhost, b.user, script.SecretExchanges); err != nil {
		return nil, err
	}
	b.admin, err = amqp.NewRabbitMQ(b.AdminURL(), amqp.RabbitMQOptions{Name: "publisher of " + name})
	return b, err
}

// clustered is one script's.
type clustered struct {
	cluster               *rabbit.Cluster
	user, password, vhost string
	host                  *rabbit.VHost
	admin                 *amqp.RabbitMQ

	mu     sync.Mutex
	harmed map[int]bool // nodes that a census cannot ask
}

// Namespace is the user's, as under Pulse.
func (b *clustered) Namespace() string { return b.user }

// URL is how the proxy reaches the nodes.
func (b *clustered) URL() string { return b.cluster.UserURL(b.user, b.password, b.vhost) }

// Pauses reports whether a node pauses when it is alone.
func (b *clustered) Pauses(ctx context.Context) (bool, error) { return b.cluster.Pauses(ctx) }

// AdminURL is how an administrator reaches them.
func (b *clustered) AdminURL() string { return b.cluster.UserURL("guest", "guest", b.vhost) }

// Dialer is for a proxy in this process.
func (b *clustered) Dialer() amqp.Dialer {
	dialer, err := amqp.NewRabbitMQ(b.URL(), amqp.RabbitMQOptions{})
	if err != nil {
		panic(err) // its URL is ours
	}
	return dialer
}

// Nodes is how many nodes there are.
func (b *clustered) Nodes() int { return len(b.cluster.Nodes()) }

// Through is where an administrator publishes through one of the nodes.
func (b *clustered) Through(node int) (amqp.Publishing, error) {
	return amqp.NewRabbitMQ(b.host.At(b.cluster.Node(node)).AdminURL(), amqp.RabbitMQOptions{Name: "events-chaos"})
}

// Publisher is an administrator's.
func (b *clustered) Publisher(ctx context.Context) (amqp.Publisher, error) {
	return b.admin.Publisher(ctx)
}

// Faults are those of each node, with its number behind the name, and those of the virtual host.
func (b *clustered) Faults() map[string]script.Fault {
	words := map[string]script.Fault{}
	for _, fault := range []faults.Fault{faults.LinksDropped, faults.ExchangesRemade} {
		words[fault.Name] = at(fault, faults.Site{VHost: b.host})
	}
	for k := range b.cluster.Nodes() {
		for _, fault := range faults.OfNode() {
			word := at(fault, faults.Site{Cluster: b.cluster, Number: k})
			happen := word.Happen
			word.Happen = func(ctx context.Context) error {
				if fault.Watch != nil {
					b.note(k, true)
				}
				err := happen(ctx)
				if err == nil && fault.Watch == nil {
					b.note(k, false)
				}
				return err
			}
			words[fmt.Sprint(fault.Name, " ", k)] = word
		}
	}
	return words
}

// note notes whether a node is harmed.
func (b *clustered) note(k int, harmed bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.harmed == nil {
		b.harmed = map[int]bool{}
	}
	b.harmed[k] = harmed
}

// errHarmed is returned where not every node can be asked.
var errHarmed = errors.New("a node of the cluster is harmed")

// able returns the nodes that can be asked.
func (b *clustered) able() (nodes []*rabbit.Node) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for k, n := range b.cluster.Nodes() {
		if !b.harmed[k] {
			nodes = append(nodes, n)
		}
	}
	return nodes
}

// snapshot adds up what the nodes have. All of them must be well: what a frozen one has cannot be
// told, and the others wait for it.
func (b *clustered) snapshot(ctx context.Context) (rabbit.Snapshot, error) {
	nodes := b.able()
	if len(nodes) < len(b.cluster.Nodes()) {
		return rabbit.Snapshot{}, errHarmed
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second) // one may be harmed meanwhile
	defer cancel()
	var all rabbit.Snapshot
	for i, n := range nodes {
		s, err := b.host.At(n).Snapshot(ctx)
		if err != nil {
			return all, err
		}
		if i > 0 { // of all but the channels each node knows the whole
			s.Channels += all.Channels
		}
		all = s
	}
	return all, nil
}

// Census asks the nodes.
func (b *clustered) Census(ctx context.Context) (script.Census, error) {
	s, err := b.snapshot(ctx)
	if errors.Is(err, errHarmed) {
		return script.CensusOf(s), fmt.Errorf("%w: %w", script.ErrNotHere, err)
	}
	return script.CensusOf(s), err
}

// Everything asks the nodes, with the connections, for random harm.
func (b *clustered) Everything(ctx context.Context) (random.Census, error) {
	s, err := b.snapshot(ctx)
	return everything(s), err
}

// Backlog asks one node how many messages the proxy's queues hold, on all of them.
func (b *clustered) Backlog(ctx context.Context) (int, error) {
	nodes := b.able()
	if len(nodes) < len(b.cluster.Nodes()) {
		return 0, errHarmed
	}
	return b.host.At(nodes[0]).Messages(ctx)
}

// Lists reports whether a node that is well lists an exchange.
func (b *clustered) Lists(ctx context.Context, exchange string) (bool, error) {
	nodes := b.able()
	if len(nodes) == 0 {
		return false, errHarmed
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	names, err := b.host.At(nodes[0]).Exchanges(ctx)
	return slices.Contains(names, exchange), err
}

// Evidence is what Close has found.
func (b *clustered) Evidence() string { return nothingLeft }

// Close heals the nodes, looks that nothing of the proxy's is left there, and removes what was
// made for the script.
func (b *clustered) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), script.NodePatience)
	defer cancel()
	if err := b.cluster.Heal(ctx); err != nil {
		return err
	}
	for k := range b.cluster.Nodes() {
		b.note(k, false)
	}
	left := settle(ctx, b.Census, script.Census{})
	return errors.Join(left, b.cluster.Node(0).DeleteUser(ctx, b.user), b.host.Delete(ctx))
}

// at is a fault at a site.
func at(fault faults.Fault, site faults.Site) script.Fault {
	word := script.Fault{Happen: func(ctx context.Context) error { return fault.Happen(ctx, site) }}
	if fault.Watch != nil {
		word.Watch = func(ctx context.Context) (faults.Sign, error) { return fault.Watch(ctx, site) }
	}
	return word
}
