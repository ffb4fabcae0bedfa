package amqptest

import (
	"strings"
	"sync"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

var publishing = []claim{
	{"declaring an exchange again does nothing, as another kind it is refused", declareExchange},
	{"a refused publish leaves the publisher as it was", refusedPublish},
	{"an exchange takes its bindings along", deleteExchange},
	{"many publish at once", publishAtOnce},
	{"a message is in the queue when Publish returns", routedOnReturn},
	{"a publisher may use its buffer again", bufferAgain},
}

func declareExchange(s *suite) {
	x := s.exchange("a", "topic")
	s.must(s.publisher().Declare(s.ctx, x, "topic"))
	s.isKind(s.publisher().Declare(s.ctx, x, "direct"), amqp.Refused)
	s.isKind(s.publisher().Declare(s.ctx, "amq.contract", "direct"), amqp.Refused)
	s.isKind(s.publisher().Declare(s.ctx, x+"/other", "no such kind"), amqp.Refused)
	s.isKind(s.publisher().Declare(s.ctx, strings.Repeat("x", 256), "topic"), amqp.Refused)
	s.text(x, "a", "still works")
}

func refusedPublish(s *suite) {
	x := s.exchange("a", "topic")
	c, _ := s.stream(s.link(), 5, amqp.Binding{Exchange: x, Pattern: "#"})
	err := s.publisher().Publish(s.ctx, x+"/missing", "a", amqp.Message{})
	s.isKind(err, amqp.Refused)
	if codeOf(err) != amqp.NotFound {
		s.Errorf("got %v", err)
	}
	for _, odd := range []string{strings.Repeat("x", 256), "\xff"} {
		s.isKind(s.publisher().Publish(s.ctx, x, odd, amqp.Message{}), amqp.Refused)
		s.isKind(s.publisher().Publish(s.ctx, odd, "a", amqp.Message{}), amqp.Refused)
		s.isKind(s.publisher().Delete(s.ctx, odd), amqp.Refused)
	}
	s.text(x, "after", "")
	if d := s.next(c); d.RoutingKey != "after" {
		s.Errorf("got %+v", d)
	}
}

func deleteExchange(s *suite) {
	x, other := s.exchange("a", "topic"), s.exchange("b", "topic")
	c, _ := s.stream(s.link(), 5, amqp.Binding{Exchange: x, Pattern: "#"}, amqp.Binding{Exchange: other, Pattern: "#"})
	s.must(s.publisher().Delete(s.ctx, x))
	s.must(s.publisher().Delete(s.ctx, x)) // a missing one is no error
	s.isKind(s.publisher().Publish(s.ctx, x, "a", amqp.Message{}), amqp.Refused)
	s.must(s.publisher().Declare(s.ctx, x, "direct")) // another one, to which nothing is bound
	s.text(x, "a", "")
	s.text(other, "b", "")
	if d := s.next(c); d.RoutingKey != "b" {
		s.Errorf("got %+v", d)
	}
	s.must(c.Close())
}

func publishAtOnce(s *suite) {
	x := s.exchange("a", "topic")
	c, _ := s.stream(s.link(), 500, amqp.Binding{Exchange: x, Pattern: "#"})
	const publishers, each = 20, 20
	var work sync.WaitGroup
	for range publishers {
		work.Go(func() {
			for range each {
				if err := s.publisher().Publish(s.ctx, x, "a", amqp.Message{}); err != nil {
					s.Error(err)
				}
			}
		})
	}
	work.Wait()
	s.keys(c, publishers*each)
}

func routedOnReturn(s *suite) {
	x, l := s.exchange("a", "topic"), s.link()
	c, queue := s.channel(l), s.queueName()
	s.must(c.Declare(queue, amqp.QueueLimits{}))
	s.must(c.Bind(queue, amqp.Binding{Exchange: x, Pattern: "#"}))
	for i := range 20 {
		s.text(x, "a", i)
		if n, err := c.Depth(queue); err != nil || n != i+1 {
			s.Fatalf("after %d messages the depth is %d, %v", i+1, n, err)
		}
	}
}

func bufferAgain(s *suite) {
	x := s.exchange("a", "topic")
	c, _ := s.stream(s.link(), 5, amqp.Binding{Exchange: x, Pattern: "#"})
	body, cc := []byte("first"), []string{"first"}
	s.publish(x, "a", amqp.Message{Body: body, CC: cc})
	copy(body, "other")
	cc[0] = "other"
	if d := s.next(c); string(d.Body) != "first" || d.CC[0] != "first" {
		s.Errorf("got %+v", d)
	}
}
