package amqp

import (
	"time"
)

// Every name, argument and number that is sent to a broker beside the bindings is in this file.
// Only forms that RabbitMQ 3.10 to 4.3 accept are used.
const (
	// queueExpires removes a queue that never got a consumer (x-expires counts only while there is
	// none), where Delete could not be called.
	queueExpires = 60 * time.Second

	// ChannelsPerLink is how many streams share a link by default: RabbitMQ's own limit is 2047
	// channels, and one lost link must not end all streams.
	ChannelsPerLink = 500

	// MaxPrefetch is the most that AMQP can say; 0 would mean no limit.
	MaxPrefetch = 65535

	// Heartbeat is asked of the broker: a half-open link is noticed after one and a half of them.
	Heartbeat = 5 * time.Second

	// DialTimeout bounds a dial: names, connect, TLS and handshake together.
	DialTimeout = 5 * time.Second
)

// DefaultMaxLength bounds a queue, in messages, where the rules about slow consumers do not.
const DefaultMaxLength = 1_000_000

// QueueLimits are a queue's bounds at the broker.
type QueueLimits struct {
	// MaxLength is x-max-length, in messages; 0 means DefaultMaxLength. Past it the broker drops
	// the oldest in silence, so a stream is cut long before.
	MaxLength int

	// DeadLetters is the exchange that what the queue drops goes to, see DeadLetters; empty: none.
	DeadLetters string
}

// QueueArguments returns the x- arguments of a stream's queue.
func QueueArguments(queue string, limits QueueLimits) map[string]any {
	length := limits.MaxLength
	if length == 0 {
		length = DefaultMaxLength
	}
	arguments := map[string]any{
		"x-expires":    int64(queueExpires / time.Millisecond),
		"x-max-length": int64(length),
	}
	if limits.DeadLetters != "" {
		arguments["x-dead-letter-exchange"] = limits.DeadLetters
		arguments["x-dead-letter-routing-key"] = queue
	}
	return arguments
}

// QueueName returns a new queue name: queue/<namespace>/exclusive/<22 random characters>, 128
// random bits. Pulse lets a user make no other queues, which rules out names that the broker would
// choose.
func QueueName(namespace string) string {
	return QueuePrefix(namespace) + unique()
}

// QueuePrefix returns what the names of a namespace's queues start with.
func QueuePrefix(namespace string) string { return "queue/" + namespace + "/exclusive/" }
