package tail

import (
	"context"
	"errors"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Broker opens streams of a broker, through the same actors as a proxy's, in
// this process.
type Broker struct {
	name    string
	options actors.Options
	request actors.Request
	system  *actors.System
}

// NewBroker returns the Source of the broker that the options dial; name is
// shown to people. The Source is to be closed.
func NewBroker(name string, o actors.Options, bindings []amqp.Binding) (*Broker, error) {
	system, err := actors.Open(o)
	if err != nil {
		return nil, err
	}
	return &Broker{name: name, options: o, request: actors.Request{Bindings: bindings}, system: system}, nil
}

func (b *Broker) String() string { return b.name }

// Close ends the streams and the connections to the broker.
func (b *Broker) Close() error { return b.system.Close() }

// Open opens a stream.
func (b *Broker) Open(ctx context.Context) (Stream, error) {
	stream, err := b.system.Connect(ctx, b.request)
	if err != nil {
		return nil, lossOf(ctx, err)
	}
	return &direct{ctx, stream}, nil
}

// direct is the Stream of an actors.Stream.
type direct struct {
	ctx    context.Context
	stream *actors.Stream
}

func (d *direct) Next() (Event, error) {
	event, err := d.stream.Next(d.ctx)
	if err != nil {
		return Event{}, lossOf(d.ctx, err)
	}
	switch e := event.(type) {
	case *actors.Message:
		return Event{Name: Message, Data: e.JSON}, nil
	case actors.Ready:
		return Event{Name: Ready}, nil
	case *actors.Error:
		return Event{}, lossOf(d.ctx, e)
	}
	return Event{Name: Ping}, nil
}

func (d *direct) Close() { d.stream.Close() }

func lossOf(ctx context.Context, err error) error {
	var told *actors.Error
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &told):
		return &Loss{Code: string(told.Code), Reason: told.Reason, Retryable: told.Code.Retryable()}
	}
	return &Loss{Code: cut, Reason: err.Error(), Retryable: true}
}
