package amqptest

import (
	"context"
	"sync"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Dialer answers each call of Dial with the next of a list of outcomes, and the last
// one to every call after that:
//
//	&amqptest.Dialer{Outcomes: []amqptest.Outcome{
//		amqptest.Fails(err), amqptest.Hangs(), amqptest.Through(broker),
//	}}
type Dialer struct {
	Outcomes []Outcome

	mu    sync.Mutex
	dials int
}

// Outcome is what one dial does.
type Outcome func(context.Context) (amqp.Link, error)

// Fails returns a dial that fails at once, with an *amqp.Error of Kind LinkLost that wraps err.
func Fails(err error) Outcome {
	return func(context.Context) (amqp.Link, error) {
		return nil, &amqp.Error{Kind: amqp.LinkLost, Op: "dial", Cause: err}
	}
}

// Hangs returns a dial that is not answered: it fails when its context ends.
func Hangs() Outcome {
	return func(ctx context.Context) (amqp.Link, error) {
		<-ctx.Done()
		return nil, &amqp.Error{Kind: amqp.LinkLost, Op: "dial", Cause: context.Cause(ctx)}
	}
}

// Through returns a dial of another dialer.
func Through(d amqp.Dialer) Outcome { return d.Dial }

// Gives is the outcome of a dial that returns l and no error.
func Gives(l amqp.Link) Outcome {
	return func(context.Context) (amqp.Link, error) { return l, nil }
}

// Dial plays the next outcome.
func (d *Dialer) Dial(ctx context.Context) (amqp.Link, error) { return d.next()(ctx) }

func (d *Dialer) next() Outcome {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dials++
	return d.Outcomes[min(d.dials, len(d.Outcomes))-1]
}

// Dials returns the number of calls of Dial so far.
func (d *Dialer) Dials() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.dials
}
