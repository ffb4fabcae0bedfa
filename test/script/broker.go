package script

import (
	"context"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// Brokers makes a broker for each script.
type Brokers interface {
	// Name is the script condition that holds on them: memory or rabbitmq.
	Name() string

	// Shared reports whether scripts share one node: those that harm it are then
	// played one after another.
	Shared() bool

	// For returns the broker of one script, fresh or as good as: no other script
	// sees its queues and exchanges. The script closes it.
	For(script string) (Broker, error)
}

// Broker is what scripts do to a broker, and ask of it.
type Broker interface {
	// Namespace is the part of its queues' names that is the proxy's own.
	Namespace() string

	// Dialer is what the proxy connects with.
	Dialer() amqp.Dialer

	// Publisher opens a publisher that is not subject to the faults.
	Publisher(ctx context.Context) (amqp.Publisher, error)

	// Faults are what can befall it, by the word in a script.
	Faults() map[string]Fault

	// Census counts what the proxy under test has on the broker now.
	Census(ctx context.Context) (Census, error)

	// Close undoes the faults and releases the broker.
	Close() error
}

// as returns what of a broker can do more than every broker, also where it is wrapped.
func as[T any](b Broker) (able T, ok bool) {
	if able, ok = b.(T); ok {
		return able, true
	}
	if wrapper, wraps := b.(interface{ Unwrap() Broker }); wraps {
		return as[T](wrapper.Unwrap())
	}
	return able, false
}

// Fault is one thing that can befall a broker.
type Fault struct {
	// Happen makes it happen. It is over as far as the broker is concerned when it
	// returns.
	Happen func(ctx context.Context) error

	// Watch prepares to look for an independent sign that it has happened; nil where
	// none is looked for.
	Watch func(ctx context.Context) (faults.Sign, error)
}

// Census is what a proxy has on a broker.
type Census struct {
	Queues      int // of the proxy's namespace
	DeadLetters int // of them, those for what streams' queues drop: each has a consumer and a binding
	Consumers   int // on these queues
	Bindings    int // of these queues, to named exchanges
	Channels    int // open on the broker by the proxy's links
	Exchanges   int // that the proxy has made: for what its queues drop, and for canaries
}

// deadLetters counts the queues for what streams' queues drop.
func deadLetters(queues []string) (n int) {
	for _, name := range queues {
		if strings.Contains(name, "/dropped/") {
			n++
		}
	}
	return n
}
