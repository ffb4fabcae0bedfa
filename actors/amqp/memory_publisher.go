package amqp

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync/atomic"
)

// memoryPublisher publishes to a Memory. It works again once a stopped broker is started.
type memoryPublisher struct {
	broker *Memory
	closed atomic.Bool
}

// memoryMessage is a message as all queues share it.
type memoryMessage struct {
	side                 string // of a partition, where it was published, see Memory.side
	exchange, routingKey string
	cc                   []string
	body                 []byte
}

func (m *memoryMessage) delivery(tag uint64, redelivered bool) Delivery {
	return Delivery{
		Tag: tag, Exchange: m.exchange, RoutingKey: m.routingKey,
		CC: m.cc, Redelivered: redelivered, Body: m.body,
	}
}

var errClosedPublisher = errors.New("the publisher is closed")

// usable begins an operation: when it returns nil, the broker answers and its mu is held.
func (p *memoryPublisher) usable(ctx context.Context, op, subject string) error {
	if err := p.broker.answering(ctx.Done()); err != nil || ctx.Err() != nil {
		return linkLost(op, subject, context.Cause(ctx))
	}
	if p.closed.Load() {
		return linkLost(op, subject, errClosedPublisher)
	}
	p.broker.mu.Lock()
	if p.broker.down {
		p.broker.mu.Unlock()
		return linkLost(op, subject, errDown)
	}
	return nil
}

func (p *memoryPublisher) Declare(ctx context.Context, exchange, kind string) error {
	if err := checkExchange("declare", exchange, kind); err != nil {
		return err
	}
	if err := p.usable(ctx, "declare", exchange); err != nil {
		return err
	}
	m := p.broker
	defer m.mu.Unlock()
	x := m.exchanges[exchange]
	switch {
	case x != nil && (x.kind != kind || x.durable):
		return refusal(PreconditionFailed, "declare", exchange, "inequivalent arg for exchange '%s'", exchange)
	case x != nil:
		return nil
	case exchange == "" || reserved(exchange):
		return refusal(AccessRefused, "declare", exchange, "exchange name '%s' is reserved", exchange)
	}
	m.exchanges[exchange] = &memoryExchange{kind: kind, router: newRouter(kind)}
	m.change()
	return nil
}

func (p *memoryPublisher) Publish(ctx context.Context, exchange, routingKey string, message Message) error {
	if err := checkRoute(exchange, routingKey); err != nil {
		return err
	}
	if err := p.usable(ctx, "publish", exchange); err != nil {
		return err
	}
	m := p.broker
	defer m.mu.Unlock()
	if limit := m.options.MessageBytes; len(message.Body) > limit {
		return refusal(PreconditionFailed, "publish", exchange, "message size %d is larger than %d", len(message.Body), limit)
	}
	if exchange != "" && m.exchanges[exchange] == nil {
		return refusal(NotFound, "publish", exchange, "no exchange '%s'", exchange)
	}
	m.publish(&memoryMessage{
		exchange: exchange, routingKey: routingKey,
		// Copies: the publisher may use its memory again.
		cc: slices.Clone(message.CC), body: nilIfEmpty(bytes.Clone(message.Body)),
	})
	return nil
}

// publish puts the message into every queue that it is routed to, by its key or by one of CC. mu is
// held.
func (m *Memory) publish(message *memoryMessage) {
	if m.exchanges[message.exchange] == nil && message.exchange != "" {
		return // it was deleted while the message was held
	}
	m.routing.reset()
	m.route(message.exchange, message.routingKey)
	for _, key := range message.cc {
		m.route(message.exchange, key)
	}
	var dead []*memoryMessage
	for _, q := range m.routing.queues {
		if m.side(q.owner.address) != message.side {
			continue
		}
		for _, dropped := range q.push(message, m.policyLength) {
			if m.exchanges[q.dropTo] != nil {
				dead = append(dead, dropped.dead(q))
			}
		}
	}
	for _, message := range dead {
		m.publish(message)
	}
}

// dead returns a message as the queue that has dropped it passes it on.
func (m *memoryMessage) dead(q *memoryQueue) *memoryMessage {
	return &memoryMessage{side: m.side, exchange: q.dropTo, routingKey: q.name, body: m.body}
}

func (m *Memory) route(exchange, routingKey string) {
	if exchange != "" {
		m.exchanges[exchange].router.route(routingKey, &m.routing)
		return
	}
	if q := m.queues[routingKey]; q != nil { // the default exchange: keys are queue names
		m.routing.add(q)
	}
}

func (p *memoryPublisher) Delete(ctx context.Context, exchange string) error {
	if err := validShortString(exchange); err != nil {
		return refusal(FrameError, "delete", exchange, "exchange %w", err)
	}
	if err := p.usable(ctx, "delete", exchange); err != nil {
		return err
	}
	m := p.broker
	defer m.mu.Unlock()
	switch x := m.exchanges[exchange]; {
	case exchange == "" || reserved(exchange):
		return refusal(AccessRefused, "delete", exchange, "exchange name '%s' is reserved", exchange)
	case x == nil:
		return nil
	}
	delete(m.exchanges, exchange)
	for _, q := range m.queues {
		for b := range q.bindings {
			if b.Exchange == exchange {
				delete(q.bindings, b)
			}
		}
	}
	m.change()
	return nil
}

func (p *memoryPublisher) Close() error {
	p.closed.Store(true)
	return nil
}
