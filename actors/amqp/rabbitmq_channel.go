package amqp

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rabbitmq/amqp091-go"
)

// rabbitChannel is an open channel. The library's own goroutine fills deliveries, at most prefetch
// of them unacknowledged.
type rabbitChannel struct {
	link       *rabbitLink
	channel    *amqp091.Channel
	ends       <-chan *amqp091.Error
	cancels    <-chan string
	deliveries <-chan amqp091.Delivery // nil before Consume
	replaced   handover[amqp091.Delivery]
	consumers  int // started so far

	// Next's: as local variables they would double a waiting goroutine's stack.
	received amqp091.Delivery
	delivery Delivery

	dead bool // refused by ourselves
}

// perform runs one operation, unless a name in it must not be sent.
func (c *rabbitChannel) perform(op, subject string, names []string, do func() error) error {
	if c.dead {
		return &Error{Kind: ChannelLost, Op: op, Subject: subject, Cause: errClosedChannel}
	}
	for _, name := range names {
		if err := validShortString(name); err != nil {
			c.dead = true // as if the broker had refused it
			return refusal(FrameError, op, subject, "name %w", err)
		}
	}
	if err := do(); err != nil {
		return c.link.failure(op, subject, err)
	}
	return nil
}

func (c *rabbitChannel) Declare(queue string, limits QueueLimits) error {
	return c.perform("declare", queue, []string{queue}, func() error {
		const durable, autoDelete, exclusive, noWait = false, true, true, false
		_, err := c.channel.QueueDeclare(queue, durable, autoDelete, exclusive, noWait, QueueArguments(queue, limits))
		return err
	})
}

func (c *rabbitChannel) Bind(queue string, b Binding) error {
	err := c.perform("bind", b.Exchange, []string{queue, b.Exchange, b.Pattern}, func() error {
		return c.channel.QueueBind(queue, b.Pattern, b.Exchange, false, nil)
	})
	var e *Error
	if errors.As(err, &e) && (e.Code == NotFound || e.Code == AccessRefused) && strings.Contains(e.Cause.Error(), " queue '") {
		e.Subject = queue // the code is the same for both that a binding needs
	}
	return err
}

func (c *rabbitChannel) Consume(queue string, prefetch int) error {
	switch {
	case c.deliveries != nil:
		c.dead = true
		return &Error{Kind: Refused, Op: "consume", Subject: queue, Cause: errConsuming}
	case prefetch < 1 || prefetch > MaxPrefetch:
		c.dead = true
		return prefetchRefused(queue, prefetch)
	}
	return c.perform("consume", queue, []string{queue}, func() error { return c.addConsumer(queue, prefetch) })
}

// addConsumer starts the consumer that is the current one from now on.
func (c *rabbitChannel) addConsumer(queue string, prefetch int) error {
	if err := c.channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	const autoAck, exclusive, noLocal, noWait = false, false, false, false
	deliveries, err := c.channel.Consume(queue, consumerTag(c.consumers+1), autoAck, exclusive, noLocal, noWait, nil)
	if err == nil {
		c.deliveries = deliveries
		c.consumers++
	}
	return err
}

func consumerTag(n int) string {
	if n == 1 {
		return "events"
	}
	return fmt.Sprintf("events-%d", n)
}

// Prefetch replaces the consumer, see Prefetcher: a broker applies a prefetch to the consumers that
// come after it. The new one starts before the old one ends, as a queue that is auto-delete goes
// with its last consumer. While the deliveries of an earlier replacement are still to be received
// it does nothing.
func (c *rabbitChannel) Prefetch(queue string, prefetch int) (changed bool, err error) {
	switch {
	case prefetch < 1 || prefetch > MaxPrefetch:
		c.dead = true
		return false, prefetchRefused(queue, prefetch)
	case c.deliveries == nil || !c.replaced.over():
		return false, nil
	}
	old, tag := c.deliveries, consumerTag(c.consumers)
	err = c.perform("consume", queue, []string{queue}, func() error {
		if err := c.addConsumer(queue, prefetch); err != nil {
			return err
		}
		c.replaced.old = old
		return c.channel.Cancel(tag, false)
	})
	return err == nil, err
}

func (c *rabbitChannel) Next(wake <-chan struct{}) (*Delivery, error) {
	if c.deliveries == nil || c.dead {
		return nil, c.notConsuming()
	}
	if !c.replaced.over() {
		return c.nextReplaced(wake)
	}
	var ok bool
	select {
	case c.received, ok = <-c.deliveries:
	case <-wake:
		return nil, nil
	}
	if !ok {
		return nil, c.ended()
	}
	return c.take(), nil
}

// nextReplaced is Next while a replaced consumer has deliveries left.
func (c *rabbitChannel) nextReplaced(wake <-chan struct{}) (*Delivery, error) {
	switch ok, ended := c.replaced.receive(c.deliveries, wake, &c.received); {
	case ended:
		return nil, c.ended()
	case !ok:
		return nil, nil
	}
	return c.take(), nil
}

// take returns what Next has received.
func (c *rabbitChannel) take() *Delivery {
	d := &c.received
	c.replaced.next = d.DeliveryTag + 1
	list, body := separate(d.Headers["CC"], d.Body)
	c.delivery = Delivery{
		Tag: d.DeliveryTag, Exchange: d.Exchange, RoutingKey: d.RoutingKey,
		CC: carbonCopies(list), Redelivered: d.Redelivered, Body: nilIfEmpty(body),
	}
	*d = amqp091.Delivery{} // holds nothing that is not asked for
	return &c.delivery
}

func (c *rabbitChannel) notConsuming() error {
	return c.perform("next", "", nil, func() error {
		if c.channel.IsClosed() {
			return amqp091.ErrClosed
		}
		return &amqp091.Error{Code: PreconditionFailed, Reason: errNoConsumer.Error(), Server: true}
	})
}

// ended returns why deliveries was closed. Both reasons were sent before that, if there are any;
// that their channels are closed says nothing.
func (c *rabbitChannel) ended() *Error {
	select {
	case tag, told := <-c.cancels:
		if told {
			return &Error{Kind: Cancelled, Op: "next", Subject: tag}
		}
	default:
	}
	select {
	case end, told := <-c.ends:
		if told {
			e := c.link.failure("next", "", end)
			if e.Kind == Refused { // it was not this operation that the broker refused
				e.Kind = ChannelLost
			}
			return e
		}
	default:
	}
	return c.link.failure("next", "", amqp091.ErrClosed)
}

func (c *rabbitChannel) Acknowledge(tag uint64) error {
	return c.perform("acknowledge", "", nil, func() error { return c.channel.Ack(tag, true) })
}

func (c *rabbitChannel) Depth(queue string) (n int, err error) {
	err = c.perform("depth", queue, []string{queue}, func() error {
		const durable, autoDelete, exclusive, noWait = false, true, true, false
		q, err := c.channel.QueueDeclarePassive(queue, durable, autoDelete, exclusive, noWait, nil)
		n = q.Messages
		return err
	})
	return n, err
}

func (c *rabbitChannel) Delete(queue string) error {
	return c.perform("delete", queue, []string{queue}, func() error {
		const ifUnused, ifEmpty, noWait = false, false, false
		_, err := c.channel.QueueDelete(queue, ifUnused, ifEmpty, noWait)
		return err
	})
}

func (c *rabbitChannel) Close() error {
	if err := c.channel.Close(); err != nil {
		return ignoreGone(c.link.failure("close", "", err))
	}
	return nil
}
