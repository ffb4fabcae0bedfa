package proxy

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

type channel struct {
	amqp.Channel
	*Ledger
}

func (c channel) Close() error {
	defer c.Closed.Add(1)
	return c.Channel.Close()
}
