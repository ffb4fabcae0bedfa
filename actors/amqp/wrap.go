package amqp

import (
	"context"
	"errors"
)

// Hooks change what a wrapped broker is asked for and what it delivers; nil ones change nothing.
// They are called by the goroutines that hold channels: concurrently, for different channels.
type Hooks struct {
	// Bind returns the binding that the broker is asked for in place of one, or an error: the
	// binding is then refused (403), as one that the broker's user may not read.
	Bind func(Binding) (Binding, error)

	// Deliver may edit a delivery in place, but for Tag; what Body and CC refer to is shared and
	// must not be edited. It reports whether the delivery is to be passed on: one that is not is
	// acknowledged by the wrapper.
	Deliver func(*Delivery) bool
}

// Wrap returns a dialer whose channels bind and deliver as the hooks say. It opens the links of d,
// and has its addresses and its user. It does not publish, whatever d does.
func Wrap(d Dialer, h Hooks) Cluster { return &wrappedDialer{Dialer: d, hooks: h} }

type wrappedDialer struct {
	Dialer
	hooks Hooks
}

func (w *wrappedDialer) Dial(ctx context.Context) (Link, error) {
	return w.link(w.Dialer.Dial(ctx))
}

// Addresses returns nil where the wrapped dialer is no Cluster.
func (w *wrappedDialer) Addresses(ctx context.Context) []string {
	if c, ok := w.Dialer.(Cluster); ok {
		return c.Addresses(ctx)
	}
	return nil
}

// DialWhere is Dial where the wrapped dialer is no Cluster.
func (w *wrappedDialer) DialWhere(ctx context.Context, may func(address string) bool) (Link, error) {
	if c, ok := w.Dialer.(Cluster); ok {
		return w.link(c.DialWhere(ctx, may))
	}
	return w.Dial(ctx)
}

var errNeither = errors.New("neither a result nor an error")

func (w *wrappedDialer) link(l Link, err error) (Link, error) {
	switch {
	case err != nil:
		return nil, err
	case l == nil:
		return nil, linkLost("dial", "", errNeither)
	}
	return &wrappedLink{Link: l, hooks: w.hooks}, nil
}

func (w *wrappedDialer) User() string { return User(w.Dialer) }

type wrappedLink struct {
	Link
	hooks Hooks
}

func (l *wrappedLink) Capacity() int   { return Capacity(l.Link) }
func (l *wrappedLink) Address() string { return Address(l.Link) }

func (l *wrappedLink) Channel() (Channel, error) {
	c, err := l.Link.Channel()
	switch {
	case err != nil:
		return nil, err
	case c == nil:
		return nil, linkLost("open channel", "", errNeither)
	}
	wrapped := &wrappedChannel{Channel: c, hooks: l.hooks}
	if p, can := c.(Prefetcher); can {
		return &wrappedPrefetcher{wrapped, p}, nil
	}
	return wrapped, nil
}

// wrappedPrefetcher wraps a channel that is a Prefetcher.
type wrappedPrefetcher struct {
	*wrappedChannel
	Prefetcher
}

// wrappedChannel acknowledges what its hook drops. An acknowledgement covers all deliveries before
// it: one of a dropped delivery must not go out while an earlier one that was passed on waits for
// its own.
type wrappedChannel struct {
	Channel
	hooks        Hooks
	passed       uint64 // tag of the last delivery that was passed on
	acknowledged uint64 // last tag that was acknowledged by the owner
	dropped      uint64 // tag of the last delivery that was dropped
}

func (c *wrappedChannel) Bind(queue string, b Binding) error {
	if c.hooks.Bind != nil {
		asked := b
		var err error
		if b, err = c.hooks.Bind(b); err != nil {
			return refusal(AccessRefused, "bind", asked.Exchange, "%w", err)
		}
	}
	return c.Channel.Bind(queue, b)
}

func (c *wrappedChannel) Next(wake <-chan struct{}) (*Delivery, error) {
	for {
		d, err := c.Channel.Next(wake)
		if err != nil || d == nil {
			return nil, err
		}
		tag := d.Tag
		if c.hooks.Deliver == nil || c.hooks.Deliver(d) {
			c.passed = tag
			return d, nil
		}
		c.dropped = tag
		if err := c.acknowledgeDropped(); err != nil {
			return nil, err
		}
	}
}

func (c *wrappedChannel) Acknowledge(tag uint64) error {
	c.acknowledged = max(c.acknowledged, tag)
	if tag >= c.passed && c.dropped > tag {
		tag = c.dropped // dropped after all that was passed on
	}
	return c.Channel.Acknowledge(tag)
}

// acknowledgeDropped acknowledges a dropped delivery, unless one that was passed on before it is not
// acknowledged yet: then Acknowledge does.
func (c *wrappedChannel) acknowledgeDropped() error {
	if c.passed > c.acknowledged {
		return nil
	}
	return c.Channel.Acknowledge(c.dropped)
}
