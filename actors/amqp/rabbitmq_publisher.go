package amqp

import (
	"context"
	"sync"
	"time"
)

// idleChannels is how many channels a publisher keeps for the next calls.
const idleChannels = 16

// rabbitPublisher publishes over a link of its own, each call on a channel that no other call uses
// meanwhile: a refusal, which ends the channel, concerns the call that earned it. When the link is
// lost, every call fails.
type rabbitPublisher struct {
	link *rabbitLink
	idle chan *rabbitChannel
	work sync.WaitGroup // operations that may have outlived their call
}

// Publisher opens a publisher with a link of its own.
func (r *RabbitMQ) Publisher(ctx context.Context) (Publisher, error) {
	link, err := r.dial(ctx, anyAddress)
	if err != nil {
		return nil, err
	}
	return &rabbitPublisher{link: link, idle: make(chan *rabbitChannel, idleChannels)}, nil
}

func (p *rabbitPublisher) Declare(ctx context.Context, exchange, kind string) error {
	if err := checkExchange("declare", exchange, kind); err != nil {
		return err
	}
	return p.perform(ctx, "declare", exchange, func(c *rabbitChannel) error {
		return c.declareExchange(exchange, kind)
	})
}

func (p *rabbitPublisher) Publish(ctx context.Context, exchange, routingKey string, m Message) error {
	if err := checkRoute(exchange, routingKey); err != nil {
		return err
	}
	return p.perform(ctx, "publish", exchange, func(c *rabbitChannel) error {
		return c.publish(exchange, routingKey, m)
	})
}

func (p *rabbitPublisher) Delete(ctx context.Context, exchange string) error {
	return p.perform(ctx, "delete", exchange, func(c *rabbitChannel) error {
		return c.deleteExchange(exchange)
	})
}

// perform runs the operation in a goroutine, which the client library may keep longer than ctx
// lasts: until the broker answers or the link is lost.
func (p *rabbitPublisher) perform(ctx context.Context, op, subject string, do func(*rabbitChannel) error) error {
	if ctx.Err() != nil {
		return linkLost(op, subject, context.Cause(ctx))
	}
	done := make(chan error, 1) // room for a result that comes too late
	p.work.Go(func() { done <- p.onChannel(do) })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return linkLost(op, subject, context.Cause(ctx))
	}
}

// onChannel runs the operation on an idle channel or on a new one.
func (p *rabbitPublisher) onChannel(do func(*rabbitChannel) error) error {
	c, err := p.take()
	if err != nil {
		return err
	}
	err = do(c)
	if err != nil && KindOf(err) != Nacked {
		c.Close()
		return err
	}
	p.give(c)
	return err
}

func (p *rabbitPublisher) take() (*rabbitChannel, error) {
	for {
		select {
		case c := <-p.idle:
			if c.channel.IsClosed() {
				continue // while it was idle
			}
			return c, nil
		default:
			return p.open()
		}
	}
}

func (p *rabbitPublisher) open() (*rabbitChannel, error) {
	c, err := p.link.channel()
	if err != nil {
		return nil, err
	}
	if err := c.confirm(); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (p *rabbitPublisher) give(c *rabbitChannel) {
	select {
	case p.idle <- c:
	default:
		c.Close()
	}
}

// Close waits for the broker's consent for a second. The error reports that it did not come.
func (p *rabbitPublisher) Close() error {
	err := p.link.Close(time.Second)
	p.work.Wait() // the end of the link has ended them
	return err
}
