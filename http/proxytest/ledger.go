package proxytest

import (
	"context"
	"sync/atomic"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Ledger counts the channels that the proxy opens on its broker, and those that it closes.
type Ledger struct {
	Links  atomic.Int64 // dialed
	Opened atomic.Int64 // channels
	Closed atomic.Int64 // calls of Close on channels: as many, in the end
}

// of wraps a dialer so that everything made by it is entered.
func (l *Ledger) of(d amqp.Dialer) amqp.Dialer { return dialer{d, l} }

type dialer struct {
	amqp.Dialer
	*Ledger
}

func (d dialer) Dial(ctx context.Context) (amqp.Link, error) {
	inner, err := d.Dialer.Dial(ctx)
	if err != nil {
		return nil, err
	}
	d.Links.Add(1)
	return link{inner, d.Ledger}, nil
}

type link struct {
	amqp.Link
	*Ledger
}

func (l link) Channel() (amqp.Channel, error) {
	inner, err := l.Link.Channel()
	if err != nil {
		return nil, err
	}
	l.Opened.Add(1)
	return channel{inner, l.Ledger}, nil
}

// Capacity and Address are the inner link's, see amqp.Capacity.
func (l link) Capacity() int   { return amqp.Capacity(l.Link) }
func (l link) Address() string { return amqp.Address(l.Link) }

type channel struct {
	amqp.Channel
	*Ledger
}

// Prefetch is the inner channel's, which has it on both brokers.
func (c channel) Prefetch(queue string, prefetch int) (changed bool, err error) {
	return c.Channel.(amqp.Prefetcher).Prefetch(queue, prefetch)
}

// DeclareDeadLetters is the inner channel's, too.
func (c channel) DeclareDeadLetters(exchange, queue string) error {
	return c.Channel.(amqp.DeadLetters).DeclareDeadLetters(exchange, queue)
}

func (c channel) Close() error {
	defer c.Closed.Add(1)
	return c.Channel.Close()
}
