package chaos

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/random"
	"github.com/taskcluster/events-proxy/test/script"
)

// Brokers provides each script with a virtual host, a user and a gate of its own on one
// node.
type Brokers struct{ Node *rabbit.Node }

// Name is the condition that holds in scripts.
func (Brokers) Name() string { return "rabbitmq" }

// Shared reports whether the scripts have one node.
func (Brokers) Shared() bool { return true }

// For makes the broker of one script.
func (b Brokers) For(name string) (script.Broker, error) {
	ctx, cancel := context.WithTimeout(context.Background(), script.NodePatience)
	defer cancel()
	site := faults.Site{Node: b.Node, User: "chaos-" + name, Password: "secret-" + name}
	if err := b.Node.AddUser(ctx, site.User, site.Password); err != nil {
		return nil, err
	}
	var err error
	if site.VHost, err = b.Node.VHost(ctx, "chaos-"+name, site.User, script.SecretExchanges); err != nil {
		return nil, err
	}
	if site.Calls, err = rabbit.NewMute(b.Node.Address()); err != nil {
		return nil, err
	}
	if site.Gate, err = faults.NewGate(site.Calls.Address()); err != nil {
		site.Calls.Close()
		return nil, err
	}
	admin, err := amqp.NewRabbitMQ(site.VHost.AdminURL(), amqp.RabbitMQOptions{Name: "publisher of " + name})
	if err != nil {
		return nil, err
	}
	return &broker{site: site, admin: admin}, nil
}

// broker is one script's.
type broker struct {
	site  faults.Site
	admin *amqp.RabbitMQ
	gone  bool // the virtual host was deleted by the script
}

// Namespace is the user's, as under Pulse.
func (b *broker) Namespace() string { return b.site.User }

// URL is how the proxy reaches the broker: through the gate.
func (b *broker) URL() string {
	u, err := url.Parse(b.site.VHost.URL(b.site.User, b.site.Password))
	if err != nil {
		panic(err) // it is ours
	}
	u.Host = b.site.Gate.Address()
	return u.String()
}

// Dialer is for a proxy in this process.
func (b *broker) Dialer() amqp.Dialer {
	dialer, err := amqp.NewRabbitMQ(b.URL(), amqp.RabbitMQOptions{})
	if err != nil {
		panic(err) // its URL is ours
	}
	return dialer
}

// Publisher goes around the gate.
func (b *broker) Publisher(ctx context.Context) (amqp.Publisher, error) {
	return b.admin.Publisher(ctx)
}

// Faults are those of package faults that a broker and the way to it have, by
// their names.
func (b *broker) Faults() map[string]script.Fault {
	words := map[string]script.Fault{}
	for _, fault := range slices.Concat(faults.OfNetwork(), faults.OfBroker()) {
		word := at(fault, b.site)
		if fault.Name == faults.VHostDeleted.Name {
			word.Happen = func(ctx context.Context) error {
				b.gone = true
				return fault.Happen(ctx, b.site)
			}
		}
		words[fault.Name] = word
	}
	return words
}

// Serves names the proxy that the broker serves, by whose account some faults are seen.
func (b *broker) Serves(p script.Proxy) { b.site.Proxy = p }

// WideHeaders is a message whose headers are wider than a frame.
func (b *broker) WideHeaders(exchange, key, body string) script.Fault {
	return at(faults.WideHeaders(exchange, key, body), b.site)
}

// Swallow makes calls that bind with a pattern vanish on their way to the broker.
func (b *broker) Swallow(pattern string) { b.site.Calls.SwallowBinds(pattern) }

// Evidence is what Close has found.
func (b *broker) Evidence() string {
	if b.gone {
		return "the virtual host is gone"
	}
	return nothingLeft
}

// Census asks the node.
func (b *broker) Census(ctx context.Context) (script.Census, error) {
	s, err := b.site.VHost.Snapshot(ctx)
	return script.CensusOf(s), err
}

// Everything asks the node, with the connections, for random harm.
func (b *broker) Everything(ctx context.Context) (random.Census, error) {
	s, err := b.site.VHost.Snapshot(ctx)
	return everything(s), err
}

func everything(s rabbit.Snapshot) random.Census {
	return random.Census{
		Queues: len(s.Queues), Consumers: s.Consumers, Bindings: s.Bindings, Channels: s.Channels, Connections: s.Connections,
	}
}

// Backlog asks the node how many messages the proxy's queues hold.
func (b *broker) Backlog(ctx context.Context) (int, error) { return b.site.VHost.Messages(ctx) }

// Lists reports whether the node lists an exchange.
func (b *broker) Lists(ctx context.Context, exchange string) (bool, error) {
	s, err := b.site.VHost.Snapshot(ctx)
	return slices.Contains(s.Exchanges, exchange), err
}

// Close undoes what befell the node, looks that nothing of the proxy's is left
// there, and removes what was made for the script.
func (b *broker) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), script.NodePatience)
	defer cancel()
	defer b.site.Calls.Close()
	defer b.site.Gate.Close()
	b.site.Node.Thaw() // or it was not running, or not frozen
	if err := b.site.Node.Start(ctx); err != nil {
		return fmt.Errorf("the node does not start again: %w", err)
	}
	if err := b.site.Node.SetMemoryAlarm(ctx, false); err != nil {
		return err
	}
	if err := b.site.Node.DeleteUser(ctx, b.site.User); err != nil {
		return err
	}
	if b.gone {
		return nil
	}
	left := settle(ctx, b.Census, script.Census{})
	if err := b.site.VHost.Delete(ctx); err != nil {
		return err
	}
	return left
}

// AdminURL is the URL at which an administrator reaches the broker, around the
// gate.
func (b *broker) AdminURL() string { return b.site.VHost.AdminURL() }
