package amqptest

import (
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

var endings = []claim{
	{"deleting a queue cancels its consumer", cancelled},
	{"a queue goes with the channel that consumed it", queueGoesWithItsChannel},
	{"a queue that was never consumed goes by Delete", queueGoesByDelete},
	{"a closed channel leaves the others alone", closeOneChannel},
	{"channels that the broker ends leave the link alive", channelsLost},
	{"a lost link ends every channel and is reported", linkLost},
	{"closing a link releases everything", closeLink},
	{"a channel is closed without an error whatever ended it", closeIsOwed},
}

func cancelled(s *suite) {
	l := s.link()
	c, queue := s.stream(l, 1)
	s.needs("DeleteQueue", s.DeleteQueue != nil)
	s.must(s.DeleteQueue(s.ctx, queue))
	s.isKind(s.ends(c), amqp.Cancelled)
	other := s.queueName() // the channel itself lives
	s.must(c.Declare(other, amqp.QueueLimits{}))
	s.must(c.Delete(other))
	s.must(c.Close())
	s.alive(l)
}

func queueGoesWithItsChannel(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	c, queue := s.stream(l, 3, amqp.Binding{Exchange: x, Pattern: "#"})
	for range 5 {
		s.text(x, "a", "") // what is under way or waits does not keep it
	}
	s.next(c)
	if !s.exists(queue) {
		s.Fatalf("there is no queue %s", queue)
	}
	s.must(c.Close())
	s.eventually("the queue is gone", func() bool { return !s.exists(queue) })
	s.alive(l)
}

func queueGoesByDelete(s *suite) {
	l := s.link()
	c, queue := s.channel(l), s.queueName()
	s.must(c.Declare(queue, amqp.QueueLimits{}))
	s.must(c.Close())
	if !s.exists(queue) {
		s.Fatalf("there is no queue %s", queue)
	}
	c = s.channel(l)
	s.must(c.Delete(queue))
	s.must(c.Delete(queue)) // a missing one is no error
	if s.exists(queue) {
		s.Errorf("there still is a queue %s", queue)
	}
	s.must(c.Close())
}

func closeOneChannel(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	one, _ := s.stream(l, 1, amqp.Binding{Exchange: x, Pattern: "#"})
	two, _ := s.stream(l, 1, amqp.Binding{Exchange: x, Pattern: "#"})
	s.must(one.Close())
	s.text(x, "a", "")
	if d := s.next(two); d.RoutingKey != "a" {
		s.Errorf("got %+v", d)
	}
}

func channelsLost(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	var channels []amqp.Channel
	for range 5 {
		c, _ := s.stream(l, 1, amqp.Binding{Exchange: x, Pattern: "#"})
		channels = append(channels, c)
	}
	s.text(x, "a", "")
	for _, c := range channels {
		s.next(c)
	}
	s.needs("CloseChannels", s.CloseChannels != nil)
	s.must(s.CloseChannels(s.ctx))
	for _, c := range channels {
		s.isKind(s.ends(c), amqp.ChannelLost)
		s.isKind(c.Acknowledge(1), amqp.ChannelLost)
		s.must(c.Close())
	}
	select {
	case <-l.Lost():
		s.Fatalf("the link is lost: %v", l.Err())
	default:
	}
	s.alive(l)
}

func linkLost(s *suite) {
	l := s.link()
	var queues []string
	ended := make(chan error)
	const streams = 20
	for range streams {
		c, queue := s.stream(l, 1)
		queues = append(queues, queue)
		go func() {
			_, err := c.Next(s.giveUp())
			ended <- err
		}()
	}
	s.must(l.Err())
	s.needs("DropLinks", s.DropLinks != nil)
	s.must(s.DropLinks(s.ctx))
	for range streams {
		s.isKind(<-ended, amqp.LinkLost)
	}
	s.lost(l)
	s.isKind(l.Err(), amqp.LinkLost)
	_, err := l.Channel()
	s.isKind(err, amqp.LinkLost)
	for _, queue := range queues {
		s.eventually("the queue is gone", func() bool { return !s.exists(queue) })
	}
	s.must(l.Close(time.Second))
	s.open = s.openPublisher() // the first one's link was dropped as well
	s.alive(s.link())
}

func (s *suite) lost(l amqp.Link) {
	s.Helper()
	select {
	case <-l.Lost():
	case <-s.ctx.Done():
		s.Fatal("the loss of the link was not reported")
	}
}

func closeLink(s *suite) {
	l := s.link()
	c, consumed := s.stream(l, 1)
	declared := s.queueName()
	s.must(s.channel(l).Declare(declared, amqp.QueueLimits{}))
	s.must(l.Close(patience))
	s.lost(l)
	s.must(l.Err())
	s.must(l.Close(patience))
	s.isKind(s.ends(c), amqp.LinkLost)
	s.isKind(c.Declare(declared, amqp.QueueLimits{}), amqp.LinkLost)
	_, err := l.Channel()
	s.isKind(err, amqp.LinkLost)
	for _, queue := range []string{consumed, declared} {
		s.eventually("the queue is gone", func() bool { return !s.exists(queue) })
	}
}

func closeIsOwed(s *suite) {
	l := s.link()
	c, queue := s.stream(l, 1)
	s.needs("DeleteQueue", s.DeleteQueue != nil)
	s.must(s.DeleteQueue(s.ctx, queue))
	s.must(c.Close())
	c, _ = s.stream(l, 1)
	s.must(l.Close(patience))
	s.must(c.Close())
}
