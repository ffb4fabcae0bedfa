package random

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Publisher publishes a run's messages through a broker that may be harmed
// too: after a failure it opens anew. Its methods may be called concurrently.
type Publisher struct {
	exchange string

	mu     sync.Mutex
	broker amqp.Publishing
	open   amqp.Publisher // nil: to be opened
}

const (
	publishPatience = 2 * time.Second  // for one message
	remakePatience  = 20 * time.Second // until an exchange is there again
)

// RoutingKey is that of a run's messages.
const RoutingKey = "random.message"

// Body is the body of a message.
func Body(number int) []byte { return fmt.Appendf(nil, `{"n":%d}`, number) }

// NewPublisher returns a Publisher to a topic exchange, which it declares.
func NewPublisher(broker amqp.Publishing, exchange string) *Publisher {
	return &Publisher{broker: broker, exchange: exchange}
}

// Publish is what Options.Publish wants: it returns nil only for what the broker has confirmed for
// every queue. Of any other message it is unknown who gets it; none is repeated.
func (p *Publisher) Publish(ctx context.Context, number int) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, publishPatience)
	defer cancel()
	err := p.ready(ctx)
	if err == nil {
		err = p.open.Publish(ctx, p.exchange, RoutingKey, amqp.Message{Body: Body(number)})
	}
	if err != nil && amqp.KindOf(err) != amqp.Nacked { // nacked: a stream's queue has gone, and the link lives
		p.close()
	}
	return err
}

// Move publishes through another broker from now on, such as another node of a cluster.
func (p *Publisher) Move(broker amqp.Publishing) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
	p.broker = broker
}

// Remake deletes the exchange, with all its bindings, and makes it again after a while.
func (p *Publisher) Remake(ctx context.Context, after time.Duration) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, remakePatience)
	defer cancel()
	if err := p.ready(ctx); err != nil {
		return err
	}
	err := p.open.Delete(ctx, p.exchange)
	select {
	case <-time.After(after):
	case <-ctx.Done():
	}
	for { // it must be there again, whatever has become of the deletion
		p.close()
		if again := p.ready(ctx); again == nil || ctx.Err() != nil {
			return errors.Join(err, again)
		}
	}
}

// Declare makes the exchange, so that clients can bind to it before the first
// message.
func (p *Publisher) Declare(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ready(ctx)
}

// ready opens the publisher; the caller holds mu.
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
	p.mu.Lock()
	defer p.mu.Unlock()
	p.close()
}

func (p *Publisher) close() {
	if p.open != nil {
		p.open.Close()
		p.open = nil
	}
}
