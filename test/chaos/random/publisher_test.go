package random_test

import (
	"context"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/chaos/random"
)

// nacking is a broker on which one queue is always being deleted.
type nacking struct{ opened int }

func (n *nacking) Publisher(context.Context) (amqp.Publisher, error) {
	n.opened++
	return nacks{}, nil
}

type nacks struct{}

func (nacks) Declare(context.Context, string, string) error { return nil }
func (nacks) Delete(context.Context, string) error          { return nil }
func (nacks) Close() error                                  { return nil }
func (nacks) Publish(context.Context, string, string, amqp.Message) error {
	return &amqp.Error{Kind: amqp.Nacked, Op: "publish"}
}

// A message that is nacked is not confirmed, so that no stream is owed it; and the publisher's link is
// as good as before.
func TestANackedMessageIsNotConfirmedAndEndsNoLink(t *testing.T) {
	broker := &nacking{}
	p := random.NewPublisher(broker, "exchange/random")
	defer p.Close()
	for n := range 3 {
		if err := p.Publish(t.Context(), n); amqp.KindOf(err) != amqp.Nacked {
			t.Errorf("message %d: %v", n, err)
		}
	}
	if broker.opened != 1 {
		t.Errorf("%d publishers were opened", broker.opened)
	}
}
