package bench

import (
	"context"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Posting publishes without waiting for the broker, whose confirmations cost it about as much as a
// delivery: where deliveries are few for each message, they would be what is measured. Its methods
// may be called concurrently.
type Posting struct {
	link    *amqp091.Connection
	channel *amqp091.Channel
}

// Post dials a broker.
func Post(broker string) (*Posting, error) {
	link, err := amqp091.Dial(broker)
	if err != nil {
		return nil, err
	}
	channel, err := link.Channel()
	if err != nil {
		link.Close()
		return nil, err
	}
	return &Posting{link, channel}, nil
}

// Publish hands one message to the socket.
func (p *Posting) Publish(ctx context.Context, exchange, routingKey string, m amqp.Message) error {
	return p.channel.PublishWithContext(ctx, exchange, routingKey, false, false, amqp091.Publishing{Body: m.Body, ContentType: m.ContentType})
}

// Close ends the connection.
func (p *Posting) Close() error { return p.link.Close() }
