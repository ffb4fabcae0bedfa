package amqptest

import (
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A broker that cannot carry canaries is not held to this. Each link that has a queue for them hears
// what another link sends; the exchange goes with the last queue.
func canaries(s *suite) {
	exchange := amqp.CanaryExchange(s.Namespace)
	first, can := s.ear(exchange)
	if !can {
		return
	}
	second, _ := s.ear(exchange)
	sender := s.channel(s.link()).(amqp.Canaries)
	s.must(sender.SendCanary(exchange, []byte("a:1")))
	for _, ear := range []amqp.Channel{first, second} {
		d := s.next(ear)
		if string(d.Body) != "a:1" || d.Exchange != exchange {
			s.Errorf("got %+v", d)
		}
		s.must(ear.Acknowledge(d.Tag))
	}
	s.must(first.Close())
	s.must(second.Close())
	s.eventually("what is sent to the exchange is refused", func() bool {
		return amqp.KindOf(sender.SendCanary(exchange, nil)) == amqp.Refused
	})
}

// ear is a channel, on a link of its own, that hears canaries.
func (s *suite) ear(exchange string) (c amqp.Channel, can bool) {
	s.Helper()
	c = s.channel(s.link())
	carrier, can := c.(amqp.Canaries)
	if !can {
		return nil, false
	}
	queue := amqp.CanaryQueue(s.Namespace)
	s.must(c.Declare(queue, amqp.QueueLimits{MaxLength: 10}))
	s.must(c.Consume(queue, 10))
	s.must(carrier.BindCanaries(queue, exchange))
	return c, true
}
