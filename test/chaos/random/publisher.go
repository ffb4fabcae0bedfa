package random

import (
	"context"
	"fmt"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Publisher publishes a run's messages through a broker that may be harmed
// too: after a failure it opens anew. One goroutine uses it.
type Publisher struct {
	broker   amqp.Publishing
	exchange string
	open     amqp.Publisher // nil: to be opened
}

// publishPatience bounds one message.
const publishPatience = 2 * time.Second

// NewPublisher returns a Publisher to a topic exchange, which it declares.
func NewPublisher(broker amqp.Publishing, exchange string) *Publisher {
	return &Publisher{broker: broker, exchange: exchange}
}

// Publish is what Options.Publish wants.
func (p *Publisher) Publish(ctx context.Context, number int) error {
	ctx, cancel := context.WithTimeout(ctx, publishPatience)
	defer cancel()
	err := p.ready(ctx)
	if err == nil {
		err = p.open.Publish(ctx, p.exchange, "random.message", amqp.Message{Body: fmt.Appendf(nil, `{"n":%d}`, number)})
	}
	if err != nil {
		p.Close()
	}
	return err
}

// Declare makes the exchange, so that clients can bind to it before the first
// message.
func (p *Publisher) Declare(ctx context.Context) error { return p.ready(ctx) }

func (p *Publisher) ready(ctx context.Context) (err error) {
	if p.open != nil {
		return nil
	}
	if p.open, err = p.broker.Publisher(ctx); err != nil {
		p.open = nil
		return err
	}
	return p.open.Declare(ctx, p.exchange, "topic")
}

// Close releases the connection.
func (p *Publisher) Close() {
	if p.open != nil {
		p.open.Close()
		p.open = nil
	}
}
