package amqptest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

var flow = []claim{
	{"no more than prefetch deliveries are unacknowledged", prefetch},
	{"a prefetch that changes while messages come loses none and keeps their order", prefetchChanges},
	{"an acknowledgement covers every delivery before it", acknowledgeSeveral},
	{"what was not acknowledged comes again, marked", redelivery},
	{"a queue drops its oldest messages at its limit", dropHead},
	{"what a queue drops comes to its dead letters, under the queue's name", deadLetters},
	{"canaries that one link sends come to the others", canaries},
	{"a message of 10 MiB arrives whole", bigBody},
	{"an empty body is nil", emptyBody},
	{"Next returns for a wake without losing a delivery", wake},
	{"many channels of a link take messages at once", manyChannels},
	{"two links live independently", twoLinks},
}

func amqpNumber(i uint64) string { return fmt.Sprint(i) }

func prefetch(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	c, queue := s.stream(l, 2, amqp.Binding{Exchange: x, Pattern: "#"})
	observer := s.channel(l)
	for i := range 5 {
		s.text(x, "a", i)
	}
	s.depthIs(observer, queue, 3) // two are under way before they are asked for
	s.next(c)
	d := s.next(c)
	s.must(c.Acknowledge(d.Tag))
	s.depthIs(observer, queue, 1)
	for i := range 3 {
		if d = s.next(c); string(d.Body) != fmt.Sprint(2+i) {
			s.Errorf("got %+v", d)
		}
		s.must(c.Acknowledge(d.Tag))
	}
	s.depthIs(observer, queue, 0)
}

// Up and down again, with deliveries of the earlier prefetch under way. A broker that cannot change
// it delivers all the same.
func prefetchChanges(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	c, queue := s.stream(l, 3, amqp.Binding{Exchange: x, Pattern: "#"})
	observer := s.channel(l)
	const messages = 40
	for i := range messages {
		s.text(x, "a", i)
	}
	s.next(c) // of three that are under way
	p, can := c.(amqp.Prefetcher)
	if can {
		changed, err := p.Prefetch(queue, 10)
		s.must(err)
		if !changed {
			s.Error("it is too early for the first change")
		}
		s.eventually("more deliveries", func() bool {
			n, err := observer.Depth(queue)
			s.must(err)
			return n < messages-3 && n >= messages-13
		})
	}
	for i := 1; i < messages; i++ {
		d := s.next(c)
		if d.Tag != uint64(i+1) || string(d.Body) != fmt.Sprint(i) || d.Redelivered {
			s.Fatalf("message %d came as %+v", i, d)
		}
		s.must(c.Acknowledge(d.Tag))
		if i%7 == 0 && can {
			_, err := p.Prefetch(queue, 1+i%5)
			s.must(err)
		}
	}
	s.text(x, "a", "last")
	if d := s.next(c); string(d.Body) != "last" {
		s.Errorf("got %+v", d)
	}
}

func acknowledgeSeveral(s *suite) {
	x := s.exchange("topic", "topic")
	c, _ := s.stream(s.link(), 3, amqp.Binding{Exchange: x, Pattern: "#"})
	for i := range 9 {
		s.text(x, "a", i)
	}
	for i := range uint64(9) {
		d := s.next(c)
		if d.Tag != i+1 {
			s.Fatalf("delivery %d is %+v", i, d)
		}
		if d.Tag%3 == 0 { // a full window, given back at once
			s.must(c.Acknowledge(d.Tag))
		}
	}
}

// Another consumer of the queue, which exclusive queues allow on their own link, gets what the
// first one leaves behind.
func redelivery(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	first, queue := s.stream(l, 3, amqp.Binding{Exchange: x, Pattern: "#"})
	for i := range 3 {
		s.text(x, "a", i)
	}
	d := s.next(first)
	s.must(first.Acknowledge(d.Tag))
	if d = s.next(first); string(d.Body) != "1" || d.Redelivered {
		s.Fatalf("got %+v", d)
	}
	second := s.channel(l)
	s.must(second.Consume(queue, 10))
	s.must(first.Close())
	for i := 1; i <= 2; i++ {
		if d = s.next(second); string(d.Body) != fmt.Sprint(i) || !d.Redelivered {
			s.Errorf("got %+v", d)
		}
	}
	s.text(x, "a", 3)
	if d = s.next(second); string(d.Body) != "3" || d.Redelivered {
		s.Errorf("got %+v", d)
	}
}

func dropHead(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	c, queue := s.channel(l), s.queueName()
	s.must(c.Declare(queue, amqp.QueueLimits{MaxLength: 3}))
	s.must(c.Bind(queue, amqp.Binding{Exchange: x, Pattern: "#"}))
	for i := range 5 {
		s.text(x, "a", i)
	}
	s.depthIs(c, queue, 3)
	s.must(c.Consume(queue, 10))
	for i := range 3 {
		if d := s.next(c); string(d.Body) != fmt.Sprint(2+i) {
			s.Errorf("got %+v", d)
		}
	}
}

// A broker that cannot tell is not held to this. The exchange goes with its queue.
func deadLetters(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	channel := s.channel(l)
	d, can := channel.(amqp.DeadLetters)
	if !can {
		return
	}
	exchange, dead := amqp.DeadLetterNames(s.Namespace)
	s.must(d.DeclareDeadLetters(exchange, dead))
	s.must(channel.Consume(dead, 10))
	c, queue := s.channel(l), s.queueName()
	s.must(c.Declare(queue, amqp.QueueLimits{MaxLength: 3, DeadLetters: exchange}))
	s.must(c.Bind(queue, amqp.Binding{Exchange: x, Pattern: "#"}))
	for i := range 5 {
		s.text(x, "a", i)
	}
	for i := range 2 {
		if d := s.next(channel); d.RoutingKey != queue || d.Exchange != exchange || string(d.Body) != fmt.Sprint(i) {
			s.Errorf("dropped message %d came as %+v", i, d)
		}
	}
	s.must(channel.Close())
	s.must(c.Consume(queue, 10))
	if d := s.next(c); string(d.Body) != "2" {
		s.Errorf("got %+v", d)
	}
	s.eventually("the exchange has gone with its queue", func() bool {
		err := s.publisher().Declare(s.ctx, exchange, "direct") // refused as long as the name is taken
		if amqp.KindOf(err) != amqp.Refused {
			s.must(err)
		}
		return err == nil
	})
	s.must(s.publisher().Delete(s.ctx, exchange))
	d = s.channel(l).(amqp.DeadLetters)
	for range 2 {
		s.must(d.DeclareDeadLetters(exchange, dead))
		s.must(d.DeleteDeadLetters(exchange, dead))
		s.must(d.DeleteDeadLetters(exchange, dead)) // both are gone
	}
}

func bigBody(s *suite) {
	x := s.exchange("topic", "topic")
	c, _ := s.stream(s.link(), 2, amqp.Binding{Exchange: x, Pattern: "#"})
	body := make([]byte, 10<<20)
	for i := range body {
		body[i] = byte(i * 7 >> 3)
	}
	s.publish(x, "big", amqp.Message{Body: body})
	s.text(x, "small", "after")
	if d := s.next(c); !slices.Equal(d.Body, body) {
		s.Errorf("got %d bytes", len(d.Body))
	}
	if d := s.next(c); string(d.Body) != "after" {
		s.Errorf("got %+v", d)
	}
}

func emptyBody(s *suite) {
	x := s.exchange("topic", "topic")
	c, _ := s.stream(s.link(), 2, amqp.Binding{Exchange: x, Pattern: "#"})
	s.publish(x, "nil", amqp.Message{})
	s.publish(x, "empty", amqp.Message{Body: []byte{}, ContentType: "text/plain"})
	for range 2 {
		if d := s.next(c); d.Body != nil {
			s.Errorf("got %+v", d)
		}
	}
}

func wake(s *suite) {
	x := s.exchange("topic", "topic")
	c, _ := s.stream(s.link(), 2, amqp.Binding{Exchange: x, Pattern: "#"})
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	if d, err := c.Next(wake); d != nil || err != nil {
		s.Fatalf("got %+v, %v", d, err)
	}
	s.text(x, "a", "first")
	wake <- struct{}{} // both may be taken first; neither gets lost
	var deliveries, wakes int
	for range 2 {
		d, err := c.Next(wake)
		s.must(err)
		if d != nil {
			deliveries++
		} else {
			wakes++
		}
	}
	if deliveries != 1 || wakes != 1 {
		s.Errorf("%d deliveries, %d wakes", deliveries, wakes)
	}
}

func manyChannels(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	const streams, messages = 30, 40
	var ready, done sync.WaitGroup
	failed := make(chan error, streams)
	ready.Add(streams)
	for range streams {
		done.Go(func() { failed <- consumeInOrder(s, l, x, messages, ready.Done) })
	}
	ready.Wait()
	for i := range messages {
		s.text(x, "a", i)
	}
	done.Wait()
	for range streams {
		s.must(<-failed)
	}
}

func consumeInOrder(s *suite, l amqp.Link, exchange string, messages int, ready func()) error {
	c, err := l.Channel()
	if err == nil {
		defer c.Close()
		queue := s.queueName()
		err = firstError(
			func() error { return c.Declare(queue, amqp.QueueLimits{}) },
			func() error { return c.Consume(queue, 5) },
			func() error { return c.Bind(queue, amqp.Binding{Exchange: exchange, Pattern: "#"}) })
	}
	ready()
	for i := 0; i < messages && err == nil; i++ {
		d, nextErr := c.Next(s.giveUp())
		switch {
		case d == nil || string(d.Body) != fmt.Sprint(i):
			err = fmt.Errorf("delivery %d is %+v: %w", i, d, nextErr)
		default:
			err = c.Acknowledge(d.Tag)
		}
	}
	return err
}

func firstError(steps ...func() error) error {
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func twoLinks(s *suite) {
	one, two := s.link(), s.link()
	s.must(one.Close(time.Second))
	s.alive(two)
}
