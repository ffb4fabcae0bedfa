package brokertest

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Census is what exists on a broker, by names that tell one from another.
type Census struct {
	Queues      []string
	Exchanges   []string // without the broker's own
	Bindings    []string // without those of every queue to the default exchange
	Consumers   []string
	Channels    []string
	Connections []string
}

// Broker can be asked what exists on it.
type Broker interface {
	// Census returns what exists now, or what of the broker's account is newest.
	Census(ctx context.Context) (Census, error)

	// Lag is how old that account may be.
	Lag() time.Duration
}

// Memory is the broker in this process; its account is never old. Bindings,
// consumers, channels and connections have no names there but their numbers.
func Memory(m *amqp.Memory) Broker { return memory{m} }

type memory struct{ broker *amqp.Memory }

func (m memory) Lag() time.Duration { return 0 }

func (m memory) Census(context.Context) (Census, error) {
	return Census{
		Queues: m.broker.Queues(), Exchanges: m.broker.Exchanges(),
		Bindings:  numbered("binding", m.broker.Bindings()),
		Consumers: numbered("consumer", m.broker.Consumers()),
		Channels:  numbered("channel", m.broker.Channels()),
		// A link is what the broker of this process calls a connection.
		Connections: numbered("connection", m.broker.Links()),
	}, nil
}

func numbered(what string, count int) []string {
	names := make([]string, count)
	for i := range names {
		names[i] = fmt.Sprintf("%s %d", what, i+1)
	}
	return names
}

// beyond returns what is there now and was not before, a line for each kind; "" for
// nothing.
func (now Census) beyond(before Census) string {
	var lines []string
	for _, kind := range []struct {
		what        string
		now, before []string
	}{
		{"queues", now.Queues, before.Queues}, {"exchanges", now.Exchanges, before.Exchanges},
		{"bindings", now.Bindings, before.Bindings}, {"consumers", now.Consumers, before.Consumers},
		{"channels", now.Channels, before.Channels}, {"connections", now.Connections, before.Connections},
	} {
		left := slices.DeleteFunc(slices.Clone(kind.now), func(name string) bool { return slices.Contains(kind.before, name) })
		if len(left) > 0 {
			lines = append(lines, fmt.Sprintf("%d %s left: %s", len(left), kind.what, shortened(left)))
		}
	}
	return strings.Join(lines, "\n")
}

// shortened joins names, the first ten of many.
func shortened(names []string) string {
	const shown = 10
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}
