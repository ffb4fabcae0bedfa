package amqptest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/amqptest"
)

// Outcomes come in their order, and the last one for ever after.
func TestTheDialerPlaysItsOutcomes(t *testing.T) {
	broker := amqp.NewMemory()
	defer broker.Close()
	down := errors.New("down")
	d := &amqptest.Dialer{Outcomes: []amqptest.Outcome{
		amqptest.Fails(down), amqptest.Hangs(), amqptest.Through(broker), amqptest.Gives(nil),
	}}
	if _, err := d.Dial(t.Context()); !errors.Is(err, down) || amqp.KindOf(err) != amqp.LinkLost {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(down)
	if _, err := d.Dial(ctx); !errors.Is(err, down) || amqp.KindOf(err) != amqp.LinkLost {
		t.Errorf("got %v", err)
	}
	if l, err := d.Dial(t.Context()); l == nil || err != nil || broker.Links() != 1 {
		t.Errorf("got %v, %v", l, err)
	}
	for range 2 {
		if l, err := d.Dial(t.Context()); l != nil || err != nil {
			t.Errorf("got %v, %v", l, err)
		}
	}
	if d.Dials() != 5 {
		t.Errorf("%d dials", d.Dials())
	}
}
