package amqptest

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// patience bounds every wait of the suite; nothing takes nearly as long.
const patience = 20 * time.Second

// suite is what one claim has: a broker, a publisher, exchanges of its own.
type suite struct {
	*testing.T
	Broker
	ctx  context.Context
	open amqp.Publisher // nil until it is needed
	id   string
}

func newSuite(t *testing.T, b Broker) *suite {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return &suite{T: t, Broker: b, ctx: ctx, id: rand.Text()}
}

// needs skips the claim where the broker under test lacks something.
func (s *suite) needs(field string, has bool) {
	s.Helper()
	if !has {
		s.Skipf("Broker.%s is nil", field)
	}
}

// publisher returns the claim's publisher.
func (s *suite) publisher() amqp.Publisher {
	s.Helper()
	if s.open == nil {
		s.open = s.openPublisher()
	}
	return s.open
}

func (s *suite) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// outliving returns a context for what is cleaned up after the test.
func outliving() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), patience)
}

func (s *suite) openPublisher() amqp.Publisher {
	s.Helper()
	s.needs("Publishing", s.Publishing != nil)
	p, err := s.Publishing.Publisher(s.ctx)
	s.must(err)
	s.Cleanup(func() { p.Close() })
	return p
}

// exchange declares an exchange for the time of the test, and returns its full name.
func (s *suite) exchange(name, kind string) string {
	s.Helper()
	name = "exchange/contract/" + s.id + "/" + name
	return s.exchangeNamed(name, kind)
}

func (s *suite) exchangeNamed(name, kind string) string {
	s.Helper()
	s.must(s.publisher().Declare(s.ctx, name, kind))
	s.Cleanup(func() {
		ctx, cancel := outliving()
		defer cancel()
		p, err := s.Publishing.Publisher(ctx) // the test's own may be lost
		if err == nil {
			defer p.Close()
			err = p.Delete(ctx, name)
		}
		if err != nil {
			s.Errorf("delete %s: %v", name, err)
		}
	})
	return name
}

// publish publishes a message that every queue which stays must get; the claim looks whether it does.
// A broker may report that another one, which is being deleted, did not take it.
func (s *suite) publish(exchange, key string, m amqp.Message) {
	s.Helper()
	if err := s.publisher().Publish(s.ctx, exchange, key, m); amqp.KindOf(err) != amqp.Nacked {
		s.must(err)
	}
}

// text publishes a message whose body is a number in words.
func (s *suite) text(exchange, key string, body any) {
	s.Helper()
	s.publish(exchange, key, amqp.Message{Body: fmt.Append(nil, body)})
}

func (s *suite) link() amqp.Link {
	s.Helper()
	l, err := s.Dialer.Dial(s.ctx)
	s.must(err)
	if isNil(l) {
		s.Fatal("a dial returned neither a link nor an error")
	}
	s.Cleanup(func() { l.Close(time.Second) })
	return l
}

// channel opens a channel that is closed with its link at the latest.
func (s *suite) channel(l amqp.Link) amqp.Channel {
	s.Helper()
	c, err := l.Channel()
	s.must(err)
	return c
}

func (s *suite) queueName() string { return amqp.QueueName(s.Namespace) }

// stream does what a stream does: declare, consume, bind, in this order. It returns the channel and
// the queue.
func (s *suite) stream(l amqp.Link, prefetch int, bindings ...amqp.Binding) (amqp.Channel, string) {
	s.Helper()
	c, queue := s.channel(l), s.queueName()
	s.must(c.Declare(queue, amqp.QueueLimits{}))
	s.must(c.Consume(queue, prefetch))
	for _, b := range bindings {
		s.must(c.Bind(queue, b))
	}
	return c, queue
}

// next waits for a delivery, which must come.
func (s *suite) next(c amqp.Channel) amqp.Delivery {
	s.Helper()
	d, err := c.Next(s.giveUp())
	if d == nil {
		s.Fatalf("no delivery came: %v", err)
	}
	return *d
}

// giveUp returns a channel that wakes a Next when the test has waited long enough.
func (s *suite) giveUp() <-chan struct{} { return s.ctx.Done() }

// ends waits for the error that ends a channel's deliveries.
func (s *suite) ends(c amqp.Channel) error {
	s.Helper()
	for {
		d, err := c.Next(s.giveUp())
		switch {
		case err != nil:
			return err
		case d == nil:
			s.Fatal("the channel's deliveries did not end")
		}
	}
}

// keys takes n deliveries, acknowledges them, and returns their routing keys.
func (s *suite) keys(c amqp.Channel, n int) []string {
	s.Helper()
	var keys []string
	for range n {
		d := s.next(c)
		keys = append(keys, d.RoutingKey)
		s.must(c.Acknowledge(d.Tag))
	}
	return keys
}

// eventually waits for what another part of the broker does in its own time.
func (s *suite) eventually(what string, condition func() bool) {
	s.Helper()
	ticks := time.NewTicker(5 * time.Millisecond)
	defer ticks.Stop()
	for !condition() {
		select {
		case <-ticks.C:
		case <-s.ctx.Done():
			s.Fatalf("it did not happen that %s", what)
		}
	}
}

func (s *suite) exists(queue string) bool {
	s.Helper()
	s.needs("Queues", s.Queues != nil)
	names, err := s.Queues(s.ctx)
	s.must(err)
	return slices.Contains(names, queue)
}

func (s *suite) depthIs(c amqp.Channel, queue string, want int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%d messages wait in the queue", want), func() bool {
		n, err := c.Depth(queue)
		s.must(err)
		return n == want
	})
}

// alive shows that a link still carries messages; streams, where the broker cannot publish.
func (s *suite) alive(l amqp.Link) {
	s.Helper()
	if s.Publishing == nil {
		c, _ := s.stream(l, 1)
		s.must(c.Close())
		return
	}
	x := s.exchange("alive/"+rand.Text(), "fanout")
	c, _ := s.stream(l, 1, amqp.Binding{Exchange: x})
	s.text(x, "still", "here")
	if d := s.next(c); d.RoutingKey != "still" {
		s.Fatalf("got %+v", d)
	}
	s.must(c.Close())
}

func (s *suite) isKind(err error, want amqp.Kind) {
	s.Helper()
	if got := amqp.KindOf(err); got != want {
		s.Fatalf("the error is of kind %q, want %q: %v", got, want, err)
	}
}
