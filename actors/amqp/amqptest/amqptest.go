// Package amqptest states what a broker behind package amqp must do, as a suite of tests for every
// implementation: a test calls [Run] with a function that returns a [Broker].
//
//	func TestMemoryKeepsTheContract(t *testing.T) {
//		amqptest.Run(t, func(t *testing.T) amqptest.Broker { … })
//	}
//
// A [Dialer] plays a list of outcomes, for tests of programs that dial.
package amqptest

import (
	"context"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Broker is a broker under test, with what the suite does to it and looks at. Only Dialer is
// required: claims that need a field that is nil are skipped, which the test's output names.
type Broker struct {
	// Dialer dials as a user with Pulse's permissions: queues of Namespace, and exchanges whose
	// names begin with "exchange/" to read.
	Dialer    amqp.Dialer
	Namespace string

	// Publishing publishes as an administrator. Nil for a broker that cannot publish: what is left
	// of the suite is about links, channels and queues.
	Publishing amqp.Publishing

	Queues        func(context.Context) ([]string, error)      // the names of all
	DeleteQueue   func(ctx context.Context, name string) error // under its consumer
	DropLinks     func(context.Context) error                  // every link, not in order
	CloseChannels func(context.Context) error                  // every channel; the links live
}

// Run runs the suite. newBroker is called for each claim and returns a broker that is up; it may be
// the same one each time: the suite leaves nothing behind.
func Run(t *testing.T, newBroker func(t *testing.T) Broker) {
	for _, group := range []struct {
		name   string
		claims []claim
	}{
		{"links", links},
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
