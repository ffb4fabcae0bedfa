package amqp

import (
	"bytes"
	"errors"
)

// memoryChannel is a channel of a memoryLink. The broker's mu guards it; consumer is written by the
// channel's owner alone, who may read it without.
type memoryChannel struct {
	link     *memoryLink
	err      *Error // why it is gone; nil while it is open
	consumer *memoryConsumer
}

var (
	errClosedChannel = errors.New("the channel is closed")
	errConsuming     = errors.New("the channel has a consumer already")
	errNoConsumer    = errors.New("the channel has no consumer")
)

// perform runs one operation of the channel under mu, and ends the channel when the broker refuses
// it.
func (c *memoryChannel) perform(op, subject string, do func(m *Memory) *Error) error {
	if err := c.link.enter(op, subject); err != nil {
		return err
	}
	m := c.link.broker
	defer m.mu.Unlock()
	if c.err != nil {
		return c.gone(op, subject)
	}
	if err := do(m); err != nil {
		if err.Kind == LinkLost {
			c.link.end(err)
		}
		c.end(err)
		return err
	}
	return nil
}

// gone returns the error of every operation after the channel's end.
func (c *memoryChannel) gone(op, subject string) *Error {
	kind := c.err.Kind
	if kind == Refused {
		kind = ChannelLost
	}
	return &Error{Kind: kind, Code: c.err.Code, Op: op, Subject: subject, Cause: c.err.Cause}
}

// end closes the channel: what its consumer holds goes back to the queue. mu is held.
func (c *memoryChannel) end(err *Error) {
	if c.err != nil {
		return
	}
	c.err = err
	delete(c.link.channels, c)
	m := c.link.broker
	if c.consumer != nil && c.consumer.queue.detach(c.consumer, c.gone("next", c.consumer.queue.name)) {
		m.deleteQueue(c.consumer.queue) // auto-delete: it was the last consumer
	}
	m.change()
}

func (c *memoryChannel) Declare(queue string, limits QueueLimits) error {
	return c.perform("declare", queue, func(m *Memory) *Error {
		return m.declareQueue(c.link, queue, limits)
	})
}

// DeclareDeadLetters is for what queues drop, see DeadLetters.
func (c *memoryChannel) DeclareDeadLetters(exchange, queue string) error {
	err := c.Declare(queue, QueueLimits{MaxLength: deadLettersLength})
	if err != nil {
		return err
	}
	return c.perform("declare", exchange, func(m *Memory) *Error {
		q, err := m.ownQueue(c.link, "declare", queue)
		if err != nil {
			return err
		}
		m.exchanges[exchange] = &memoryExchange{kind: "fanout", router: newRouter("fanout"), autoDelete: true}
		return m.bind(q, Binding{Exchange: exchange})
	})
}

// BindCanaries is for what shows whether a node is alone, see Canaries.
func (c *memoryChannel) BindCanaries(queue, exchange string) error {
	return c.perform("bind", exchange, func(m *Memory) *Error {
		q, err := m.ownQueue(c.link, "bind", queue)
		if err != nil {
			return err
		}
		made := m.exchanges[exchange] == nil
		if made {
			m.exchanges[exchange] = &memoryExchange{kind: "fanout", router: newRouter("fanout"), autoDelete: true}
		}
		if err = m.bind(q, Binding{Exchange: exchange}); err != nil && made {
			delete(m.exchanges, exchange)
		}
		return err
	})
}

// SendCanary publishes at the link's node, see Canaries.
func (c *memoryChannel) SendCanary(exchange string, body []byte) error {
	return c.perform("publish", exchange, func(m *Memory) *Error {
		message := &memoryMessage{side: m.side(c.link.address), exchange: exchange, body: bytes.Clone(body)}
		switch {
		case m.exchanges[exchange] == nil:
			return refusal(NotFound, "publish", exchange, "no exchange '%s'", exchange)
		case m.blocked:
			m.held = append(m.held, message)
		default:
			m.publish(message)
		}
		return nil
	})
}

// DeleteDeadLetters is for what queues drop, see DeadLetters.
func (c *memoryChannel) DeleteDeadLetters(exchange, queue string) error {
	if queue != "" {
		if err := c.Delete(queue); err != nil {
			return err
		}
	}
	return c.perform("delete", exchange, func(m *Memory) *Error {
		delete(m.exchanges, exchange) // its only binding went with the queue
		return nil
	})
}

func (c *memoryChannel) Bind(queue string, b Binding) error {
	return c.perform("bind", b.Exchange, func(m *Memory) *Error {
		q, err := m.ownQueue(c.link, "bind", queue)
		if err != nil {
			return err
		}
		return m.bind(q, b)
	})
}

func (c *memoryChannel) Consume(queue string, prefetch int) error {
	return c.perform("consume", queue, func(m *Memory) *Error {
		q, err := m.ownQueue(c.link, "consume", queue)
		switch {
		case err != nil:
			return err
		case c.consumer != nil:
			return &Error{Kind: Refused, Op: "consume", Subject: queue, Cause: errConsuming}
		case prefetch < 1 || prefetch > MaxPrefetch:
			return prefetchRefused(queue, prefetch)
		}
		c.consumer = newMemoryConsumer(q, prefetch)
		q.attach(c.consumer)
		m.change()
		return nil
	})
}

// Prefetch changes the consumer's prefetch, see Prefetcher.
func (c *memoryChannel) Prefetch(queue string, prefetch int) (changed bool, err error) {
	err = c.perform("consume", queue, func(m *Memory) *Error {
		q, err := m.ownQueue(c.link, "consume", queue)
		switch {
		case err != nil:
			return err
		case prefetch < 1 || prefetch > MaxPrefetch:
			return prefetchRefused(queue, prefetch)
		}
		if changed = c.consumer != nil; changed {
			q.setPrefetch(c.consumer, prefetch)
		}
		return nil
	})
	return changed, err
}

func (c *memoryChannel) Next(wake <-chan struct{}) (*Delivery, error) {
	if c.consumer == nil {
		return nil, c.perform("next", "", func(*Memory) *Error {
			return &Error{Kind: Refused, Op: "next", Cause: errNoConsumer}
		})
	}
	for {
		select { // first, so that a busy queue does not keep the caller from its other work
		case <-wake:
			return nil, nil
		default:
		}
		if d, err := c.consumer.take(&c.link.broker.frozen); d != nil || err != nil {
			return d, err
		}
		select {
		case <-c.consumer.arrived:
		case <-wake:
			return nil, nil
		}
	}
}

// Acknowledge needs no answer of the broker: it works while the broker is frozen.
func (c *memoryChannel) Acknowledge(tag uint64) error {
	if c.consumer != nil && c.consumer.acknowledge(tag) {
		return nil
	}
	return c.perform("acknowledge", "", func(*Memory) *Error {
		return refusal(PreconditionFailed, "acknowledge", "", "unknown delivery tag %d", tag)
	})
}

func (c *memoryChannel) Depth(queue string) (n int, err error) {
	err = c.perform("depth", queue, func(m *Memory) *Error {
		q, err := m.ownQueue(c.link, "depth", queue)
		if err == nil {
			n = q.depth()
		}
		return err
	})
	return n, err
}

func (c *memoryChannel) Delete(queue string) error {
	return c.perform("delete", queue, func(m *Memory) *Error {
		q, err := m.ownQueue(c.link, "delete", queue)
		if err != nil && err.Code == NotFound {
			return nil
		}
		if err == nil {
			m.deleteQueue(q)
		}
		return err
	})
}

func (c *memoryChannel) Close() error {
	return ignoreGone(c.perform("close", "", func(*Memory) *Error {
		c.end(&Error{Kind: ChannelLost, Cause: errClosedChannel})
		return nil
	}))
}

// ignoreGone returns the error of closing something, nil where it had ended before.
func ignoreGone(err error) error {
	switch KindOf(err) {
	case ChannelLost, LinkLost:
		return nil
	}
	return err
}
