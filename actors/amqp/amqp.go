// Package amqp is the port to a broker: the few AMQP 0-9-1 operations that an
// event stream needs, as interfaces. Two brokers stand behind it: RabbitMQ
// (rabbitmq.go) and Memory, a broker in this process (memory.go). Whatever
// holds for one holds for the other; the suite in amqptest says so.
//
//	Dialer ──Dial──▶ Link ──Channel──▶ Channel      consuming: one stream each
//	Dialer ──Publisher──▶ Publisher                 publishing: demo, tests, embedders
//
// Every name and key that reaches a Channel has passed Binding.Validate: a
// name of more than 255 bytes or with bytes that are not UTF-8 would end the
// whole link, and with it every other client's stream.
package amqp

import (
	"context"
	"time"
)

// Dialer opens links to one broker. It may be called concurrently.
type Dialer interface {
	// Dial opens a link, or says why not; it gives up after a few seconds by
	// itself, and earlier when ctx ends. The error holds no credentials.
	Dial(ctx context.Context) (Link, error)
}

// Link is one AMQP connection. Its methods may be called concurrently.
type Link interface {
	// Channel opens a channel. It fails with an *Error: of Kind LinkLost once
	// the link is gone, of Kind Exhausted while it has no room for another.
	Channel() (Channel, error)

	// Lost is closed when the link is gone, whoever ended it.
	Lost() <-chan struct{}

	// Err says why the link is gone: nil before, and nil after a Close of ours.
	Err() error

	// Close ends the link and all its channels. It waits for the broker's
	// consent no longer than patience, which may be zero; an error says that
	// the link ended without it. Closing twice is harmless.
	Close(patience time.Duration) error
}

// Channel is one AMQP channel, held by one goroutine: none of its methods may
// be called concurrently. Errors are *Error.
//
// An error of Kind Refused ends the channel (the broker closes it), and every
// later call fails; Close is owed all the same.
type Channel interface {
	// Declare makes a stream's queue: exclusive, auto-delete, not durable,
	// with the arguments of QueueArguments.
	Declare(queue string, limits QueueLimits) error

	// Bind routes what the binding matches to the queue. Where the broker finds
	// no queue, the error's Subject is the queue; else it is the exchange.
	Bind(queue string, binding Binding) error

	// Consume starts the one consumer of this channel: manual
	// acknowledgement, at most prefetch (1 to 65535) deliveries on their way.
	// The consumer is confirmed by the broker when Consume returns.
	Consume(queue string, prefetch int) error

	// Next waits for the next delivery, which is valid until the next call. It
	// returns nil without an error when a value was taken from wake first, and an
	// error when no delivery
	// will ever come: Kind Cancelled, ChannelLost or LinkLost. What arrived
	// before the end is not necessarily given out: it is unacknowledged.
	Next(wake <-chan struct{}) (*Delivery, error)

	// Acknowledge acknowledges every delivery up to and including tag.
	Acknowledge(tag uint64) error

	// Depth gives the number of messages in the queue that are ready, those
	// under way to a consumer not counted.
	Depth(queue string) (int, error)

	// Delete removes a queue with its bindings; a missing queue is no error.
	Delete(queue string) error

	// Close cancels the consumer, gives unacknowledged deliveries back to the
	// queue and ends the channel. It is called exactly once.
	Close() error
}

// Publisher puts messages into exchanges, for the demo, for tests and for
// programs that embed the proxy. Its methods may be called concurrently.
type Publisher interface {
	// Declare makes an exchange of the kind "topic", "direct" or "fanout";
	// declaring it again with the same kind does nothing. Exchanges made this
	// way are not durable and stay until Delete or the broker's end.
	Declare(ctx context.Context, exchange, kind string) error

	// Publish hands one message to the broker and returns when the broker has
	// taken responsibility for it: it has then been routed to every queue.
	Publish(ctx context.Context, exchange, routingKey string, m Message) error

	// Delete removes an exchange; a missing one is no error.
	Delete(ctx context.Context, exchange string) error

	// Close releases the publisher.
	Close() error
}

// Publishing is implemented by dialers that can also publish: RabbitMQ and
// Memory both do.
type Publishing interface {
	Publisher(ctx context.Context) (Publisher, error)
}
