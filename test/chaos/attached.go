package chaos

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/random"
	"github.com/taskcluster/events-proxy/test/script"
)

// Attached plays scripts against a proxy and a broker that run already. What
// needs their processes fails and says so.
type Attached struct {
	Remote
	Broker string // AMQP URL of a user who may declare and publish to exchange/tc/task

	// Management asks the broker what the proxy has there, and drops its links.
	// Without it the proxy's own account is all there is: AMQP does not tell
	// what others hold.
	Management *rabbit.Management

	// Namespace is the <user> in the names of the proxy's queues, its
	// PULSE_NAMESPACE; for Management.
	Namespace string
}

// Name is the condition that holds in scripts.
func (Attached) Name() string { return "rabbitmq" }

// Shared reports whether scripts see each other.
func (Attached) Shared() bool { return true }

// For returns the one broker.
func (a Attached) For(string) (script.Broker, error) {
	dialer, err := amqp.NewRabbitMQ(a.Broker, amqp.RabbitMQOptions{Name: "events-chaos"})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), script.NodePatience)
	defer cancel()
	before, err := a.Census(ctx)
	return &attached{Attached: a, dialer: dialer, before: before}, err
}

// ForScripts returns the one proxy, which cannot be started with other settings.
func (a Attached) ForScripts(_ script.Broker, s script.Settings) (script.Proxy, error) {
	asked := s
	asked.ShareQueues = false // as it serves, which Mode has found out
	if slices.Equal(asked.Routed, RoutedExchanges) {
		asked.Routed = nil
	}
	if len(flags(&attached{Attached: a}, asked)) > 2 { // beside the namespace
		return nil, fmt.Errorf("%w: the script asks for settings, and the proxy was attached as it is", script.ErrNotHere)
	}
	return a.Remote, nil
}

// Census is what the proxy has on the broker, by the broker's own account where
// Management can ask for it.
func (a Attached) Census(ctx context.Context) (script.Census, error) {
	if a.Management == nil {
		s, err := a.Snapshot(ctx)
		n := int(s.Stats.Workers)
		return script.Census{Queues: n, Consumers: n, Channels: n}, err
	}
	s, err := a.Management.Of(ctx, a.vhost(), amqp.QueuePrefix(a.Namespace), a.linkName())
	return script.CensusOf(s), err
}

// Everything is the same with the connections, for random harm.
func (a Attached) Everything(ctx context.Context) (random.Census, error) {
	if a.Management == nil {
		s, err := a.Snapshot(ctx)
		n := int(s.Stats.Workers)
		return random.Census{Queues: n, Consumers: n, Channels: n, Connections: int(s.Stats.Links)}, err
	}
	s, err := a.Management.Of(ctx, a.vhost(), amqp.QueuePrefix(a.Namespace), a.linkName())
	return everything(s), err
}

// Account names the source of that count.
func (a Attached) Account() string {
	if a.Management == nil {
		return "proxy"
	}
	return "broker"
}

// BrokerVersion returns the broker's release, as far as it can be learnt.
func (a Attached) BrokerVersion(ctx context.Context) string {
	if a.Management == nil {
		return "unknown: no management plugin is named"
	}
	version, err := a.Management.Version(ctx)
	if err != nil {
		return "unknown: " + err.Error()
	}
	return "RabbitMQ " + version
}

// Faults are what befalls the broker without its process.
func (a Attached) Faults() map[string]script.Fault {
	if a.Management == nil {
		return nil
	}
	return map[string]script.Fault{faults.LinksDropped.Name: {
		Happen: func(ctx context.Context) error {
			return a.Management.CloseConnections(ctx, a.vhost(), a.linkName())
		},
		Watch: a.linksLost,
	}}
}

// linksLost is a sign that the proxy has lost a link, by its own account.
func (a Attached) linksLost(ctx context.Context) (faults.Sign, error) {
	before, err := a.Snapshot(ctx)
	return func(ctx context.Context) (string, error) {
		now, err := a.Snapshot(ctx)
		if n := now.Stats.LinksLost - before.Stats.LinksLost; n > 0 {
			return fmt.Sprintf("the proxy counts %d links lost", n), nil
		}
		return "", err
	}, err
}

// linkName is how the proxy calls its connections, see cmd/events.
func (a Attached) linkName() string { return "events-proxy " + a.Namespace }

// vhost is the broker's virtual host.
func (a Attached) vhost() string {
	u, err := url.Parse(a.Broker)
	if err != nil || len(u.Path) < 2 {
		return "/"
	}
	return strings.TrimPrefix(u.Path, "/")
}

// Settled looks whether the proxy has no more on the broker than before, and
// returns the evidence.
func (a Attached) Settled(ctx context.Context, before script.Census) (evidence string, err error) {
	if err := settle(ctx, a.Census, before); err != nil {
		return "", err
	}
	witness := "by the proxy's own account, no management plugin was named"
	if a.Management != nil {
		witness = "by the broker's account"
	}
	if before == (script.Census{}) {
		return nothingLeft + " (" + witness + ")", nil
	}
	return fmt.Sprintf("no more left than before, %+v (%s)", before, witness), nil
}

// attached is the one broker, as one script finds and leaves it.
type attached struct {
	Attached
	dialer   *amqp.RabbitMQ
	before   script.Census
	evidence string
}

// OfOthers is true: nothing is known of what the broker lets the proxy read.
func (a *attached) OfOthers() bool { return true }

func (a *attached) Namespace() string   { return a.Attached.Namespace }
func (a *attached) Dialer() amqp.Dialer { return a.dialer }
func (a *attached) Publisher(ctx context.Context) (amqp.Publisher, error) {
	return a.dialer.Publisher(ctx)
}

// Census is what the proxy has there beside what it had before the script.
func (a *attached) Census(ctx context.Context) (script.Census, error) {
	now, err := a.Attached.Census(ctx)
	return script.Census{
		Queues: max(0, now.Queues-a.before.Queues), DeadLetters: max(0, now.DeadLetters-a.before.DeadLetters), Consumers: max(0, now.Consumers-a.before.Consumers),
		Bindings: max(0, now.Bindings-a.before.Bindings), Channels: max(0, now.Channels-a.before.Channels),
		Exchanges: max(0, now.Exchanges-a.before.Exchanges),
	}, err
}

// Close leaves it running, and looks what the script has left there.
func (a *attached) Close() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), script.NodePatience)
	defer cancel()
	a.evidence, err = a.Settled(ctx, a.before)
	return err
}

// Evidence is what Close has found.
func (a *attached) Evidence() string { return a.evidence }
