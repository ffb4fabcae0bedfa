// Package amqptest holds what a broker behind package amqp promises, as tests:
// one suite for every implementation. A Dialer that is fed with outcomes is for
// tests of those who dial.
//
//	func TestMemoryKeepsTheContract(t *testing.T) {
//		amqptest.Run(t, func(t *testing.T) amqptest.Broker { … })
//	}
package amqptest

import (
	"context"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Broker is a broker under test, with what the suite does to it and looks at.
type Broker struct {
	// Dialer dials as a user with Pulse's permissions: queues of Namespace, and
	// exchanges whose names begin with "exchange/" to read.
	Dialer    amqp.Dialer
	Namespace string

	// Publishing publishes as an administrator.
	Publishing amqp.Publishing

	Queues        func(context.Context) ([]string, error)
	DeleteQueue   func(ctx context.Context, name string) error // under its consumer
	DropLinks     func(context.Context) error                  // every link, not in order
	CloseChannels func(context.Context) error                  // every channel; the links live
}

// Run runs the suite. newBroker returns a broker that is up; it may be the same
// each time: the suite leaves nothing behind.
func Run(t *testing.T, newBroker func(t *testing.T) Broker) {
	for _, group := range []struct {
		name   string
		claims []claim
	}{
		{"routing", routing},
		{"publishing", publishing},
		{"flow", flow},
		{"refusals", refusals},
		{"endings", endings},
	} {
		for _, c := range group.claims {
			t.Run(group.name+"/"+c.name, func(t *testing.T) { c.check(newSuite(t, newBroker(t))) })
		}
	}
}

// claim is one sentence about every broker.
type claim struct {
	name  string
	check func(*suite)
}
