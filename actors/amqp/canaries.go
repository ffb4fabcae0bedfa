package amqp

import (
	"crypto/rand"
	"encoding/base64"
)

// Canaries is implemented by channels of brokers whose nodes may lose sight of each other. What is
// published at one node is to reach the queues of all: a node that a partition has left alone goes
// on serving its links, deaf. A canary is a message that shows whether it is so.
//
// Like the other methods of a [Channel], its methods must only be called by the channel's owner.
// Errors are *Error.
type Canaries interface {
	// BindCanaries makes the exchange, a fanout that goes with the last queue bound to it, and
	// binds the queue to it. Where the queue cannot be bound, the exchange is not left behind.
	BindCanaries(queue, exchange string) error

	// SendCanary publishes a message at the node that the link leads to, and waits for no answer: a
	// broker that blocks publishers (an alarm for memory or disk) keeps it until it takes messages
	// again, and reads nothing else from the link until then. So a link that publishes canaries must
	// serve no stream. What the broker refuses is the error of a later call.
	SendCanary(exchange string, body []byte) error
}

// CanaryExchange returns a new name for an exchange of canaries, below exchange/<namespace>/: Pulse
// lets a user make no others.
func CanaryExchange(namespace string) string { return "exchange/" + namespace + "/canary/" + unique() }

// CanaryQueue returns a new name for a queue of canaries, below queue/<namespace>/.
func CanaryQueue(namespace string) string { return "queue/" + namespace + "/canary/" + unique() }

// unique returns 22 random characters, 128 random bits.
func unique() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(id[:])
}
