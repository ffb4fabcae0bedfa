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

// of wraps a dialer so that everything made by it is entered. It is a cluster where the dialer is.
func (l *Ledger) of(d amqp.Dialer) amqp.Dialer {
	if c, ok := d.(amqp.Cluster); ok {
		return cluster{dialer{d, l}, c}
	}
	return dialer{d, l}
}

// cluster is a dialer whose broker has addresses to choose from.
type cluster struct {
	dialer
	inner amqp.Cluster
}

func (c cluster) Addresses(ctx context.Context) []string { return c.inner.Addresses(ctx) }

func (c cluster) DialWhere(ctx context.Context, may func(address string) bool) (amqp.Link, error) {
	return c.entered(c.inner.DialWhere(ctx, may))
}

type dialer struct {
	amqp.Dialer
	*Ledger
}

func (d dialer) Dial(ctx context.Context) (amqp.Link, error) {
	return d.entered(d.Dialer.Dial(ctx))
}

// User is the inner dialer's, see amqp.User.
func (d dialer) User() string { return amqp.User(d.Dialer) }

func (d dialer) entered(inner amqp.Link, err error) (amqp.Link, error) {
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

// DeleteDeadLetters is the inner channel's, too.
func (c channel) DeleteDeadLetters(exchange, queue string) error {
	return c.Channel.(amqp.DeadLetters).DeleteDeadLetters(exchange, queue)
}

// BindCanaries and SendCanary are the inner channel's.
func (c channel) BindCanaries(queue, exchange string) error {
	return c.Channel.(amqp.Canaries).BindCanaries(queue, exchange)
}

func (c channel) SendCanary(exchange string, body []byte) error {
	return c.Channel.(amqp.Canaries).SendCanary(exchange, body)
}

func (c channel) Close() error {
	defer c.Closed.Add(1)
	return c.Channel.Close()
}
