// Package amqp is the port to a message broker: the few AMQP 0-9-1 operations that an event stream
// needs, as interfaces, with two implementations.
//
// A caller gets a broker from [NewRabbitMQ] (a real one, by its URL) or [NewMemory] (one in this
// process), opens a [Link] with Dial, a [Channel] of that link for each stream, and then calls
// Declare, Consume, Bind, Next and Acknowledge on it:
//
//	Dialer ──Dial──▶ Link ──Channel──▶ Channel      consuming: one stream each
//	Dialer ──Publisher──▶ Publisher                 publishing: demo, tests, embedders
//
// Anything that implements [Dialer] can take the place of these two; the suite in package amqptest
// states what it must do, and both brokers here pass it. [Wrap] changes what another broker is
// asked for or delivers. Optional interfaces tell more about a broker: [Publishing] that it can
// publish, [Cluster] which addresses it has; [Capacity] and [Address] ask a link.
//
// # For callers
//
// Contexts bound Dial and a Publisher's calls. The calls of a Channel block until the broker answers,
// or the channel or its link ends; Next also returns when its caller is woken. A Link and a Publisher
// may be used concurrently, a Channel by one goroutine, which calls its Close exactly once.
//
// Errors have a [Kind] ([KindOf]), which decides what to do, and AMQP's code ([CodeOf]). A refused
// operation ends its Channel, as in AMQP.
//
// The end: a Channel's Close ends its consumer, and with that its auto-delete queue; a Link's Close
// ends its channels. [Memory.Close] ends a broker in memory and all its links.
//
// [Binding.Matches] and [Binding.Covers] compare bindings as a topic exchange does, without a broker.
//
// # Inside
//
// Every name and key that reaches a Channel has passed [Binding.Validate]: a name of more than 255
// bytes or with bytes that are not UTF-8 would end the whole link, and with it the streams of all
// other clients.
//
// The port is in amqp.go and cluster.go, its values in binding.go, delivery.go, errors.go and
// queue.go. Files that start with rabbitmq reach a RabbitMQ broker; they alone import the
// client library. Files that start with memory are the broker in this process.
package amqp

import (
	"context"
	"time"
)

// Dialer opens links to one broker. Its methods may be called concurrently.
type Dialer interface {
	// Dial opens a link, or returns an error, never neither. It fails by itself after a few
	// seconds, and earlier when ctx ends. The error holds no credentials.
	Dial(ctx context.Context) (Link, error)
}

// Link is one AMQP connection. Its methods may be called concurrently. Two links must be comparable
// with ==, and different: callers keep them as keys of maps.
type Link interface {
	// Channel opens a channel. It fails with an *Error: of Kind LinkLost once the link has ended,
	// of Kind Exhausted while the link has as many channels as it may.
	Channel() (Channel, error)

	// Lost returns a channel that is closed when the link has ended, for whatever reason. It is the
	// same one each time.
	Lost() <-chan struct{}

	// Err returns the reason for which the link ended: nil before, and nil after a call of Close.
	Err() error

	// Close ends the link and all its channels. It waits for the broker's consent no longer than
	// patience, which may be zero; an error reports that the link ended without it. Further calls
	// do nothing.
	Close(patience time.Duration) error
}

// Channel is one AMQP channel, held by one goroutine: its methods must not be called concurrently.
// Their errors are of type *Error.
//
// An error of Kind Refused ends the channel (the broker closes it), and every later call fails;
// Close must be called all the same.
type Channel interface {
	// Declare makes a stream's queue: exclusive, auto-delete, not durable, with the arguments that
	// QueueArguments returns.
	Declare(queue string, limits QueueLimits) error

	// Bind routes what the binding matches to the queue. Binding again is harmless. Where the
	// broker finds no queue, or does not let this user bind it, the error's Subject is the queue;
	// otherwise it is the exchange.
	Bind(queue string, binding Binding) error

	// Consume starts the one consumer of this channel: manual acknowledgement, at most prefetch
	// (1 to 65535) deliveries sent and not acknowledged. The broker has confirmed the consumer when
	// Consume returns.
	Consume(queue string, prefetch int) error

	// Next waits for the next delivery, which is valid until the next call. It returns nil without
	// an error when it took a value from wake instead, and an error when no delivery will ever
	// come: of Kind Cancelled, ChannelLost or LinkLost. Deliveries that arrived before the end may
	// be left out: they are not acknowledged.
	Next(wake <-chan struct{}) (*Delivery, error)

	// Acknowledge acknowledges every delivery up to and including tag.
	Acknowledge(tag uint64) error

	// Depth returns the number of messages in the queue that are ready; those sent to a consumer
	// are not counted.
	Depth(queue string) (int, error)

	// Delete removes a queue with its bindings; a missing queue is no error.
	Delete(queue string) error

	// Close cancels the consumer, returns unacknowledged deliveries to the queue and ends the
	// channel. It must be called exactly once.
	Close() error
}

// Publisher puts messages into exchanges, for the demo, for tests and for programs that embed the
// proxy. Its methods may be called concurrently.
type Publisher interface {
	// Declare makes an exchange of the kind "topic", "direct" or "fanout"; declaring it again with
	// the same kind does nothing. Exchanges made this way are not durable; they stay until Delete
	// or the broker's end.
	Declare(ctx context.Context, exchange, kind string) error

	// Publish hands one message to the broker and returns nil when the broker has taken
	// responsibility for it: it is then in every queue that it is routed to.
	//
	// An error of Kind Refused: it is in no queue, and will not be the next time. Any other: it may
	// be in some of the queues, or all. That holds for LinkLost, ChannelLost and the end of ctx,
	// where no answer came, and for Nacked. Publish never repeats anything by itself. Whether to do
	// so is the caller's decision: AMQP knows no message identity, and queues that have it already
	// get a second copy.
	//
	// Nacked is one answer for all queues, though only one of them need have failed: it is full and
	// rejects, or its node is out of reach, or it is being deleted, which RabbitMQ 4.3 reports and 3
	// does not. Every other queue has the message. So a message that was nacked is neither delivered
	// for certain nor refused: who gets it is unknown to its publisher. Where each queue belongs to
	// one reader, as with this proxy, all who stay have it, and it need not be repeated. A publisher
	// with a reader that must have it waits for a sign of that reader, or repeats it a few times and
	// lets the reader tell copies apart. See https://www.rabbitmq.com/docs/confirms, "When Will
	// Published Messages Be Confirmed", and rabbitmq-server's pull request 1893 and issue 15333.
	Publish(ctx context.Context, exchange, routingKey string, m Message) error

	// Delete removes an exchange; a missing one is no error.
	Delete(ctx context.Context, exchange string) error

	// Close releases the publisher.
	Close() error
}

// Publishing is implemented by dialers that can also publish: RabbitMQ and Memory both do.
type Publishing interface {
	// Publisher opens a publisher, or returns an error, never neither.
	Publisher(ctx context.Context) (Publisher, error)
}
