package amqptest

import (
	"errors"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

var refusals = append(refusedOperations(), []claim{
	{"a name that AMQP cannot carry never ends a link", oddNames},
	{"a bad prefetch never reaches the broker", oddPrefetch},
	{"an unknown tag ends the channel and nothing else", unknownTag},
	{"a refused bind after consume leaves no queue behind", noOrphan},
	{"an error of bind names what is missing, the queue or the exchange", missingWhat},
	{"declaring again with the same limits does nothing", declareAgain},
	{"a link has room for as many channels as its capacity, and again when one is closed", exhausted},
}...)

// operation is one that a broker refuses with a code.
type operation struct {
	name string
	code int
	do   func(s *suite, c amqp.Channel, other string) error
}

// The queue "other" belongs to another link; queue names are in the namespace, where nothing else
// is said.
var refusedOnes = []operation{
	{"bind to a missing exchange", amqp.NotFound, func(s *suite, c amqp.Channel, _ string) error {
		return bindTo(s, c, "exchange/contract/"+s.id+"/missing")
	}},
	{"bind to an exchange that may not be read", amqp.AccessRefused, func(s *suite, c amqp.Channel, _ string) error {
		return bindTo(s, c, s.exchangeNamed("private/"+s.id, "topic"))
	}},
	{"bind to the default exchange", amqp.AccessRefused, func(s *suite, c amqp.Channel, _ string) error {
		return bindTo(s, c, "")
	}},
	{"bind a missing queue", amqp.NotFound, func(s *suite, c amqp.Channel, _ string) error {
		return c.Bind(s.queueName(), amqp.Binding{Exchange: s.exchange("topic", "topic"), Pattern: "a"})
	}},
	{"declare a queue outside of the namespace", amqp.AccessRefused, func(s *suite, c amqp.Channel, _ string) error {
		return c.Declare("queue/another-user/exclusive/a", amqp.QueueLimits{})
	}},
	{"declare a queue with a reserved name", amqp.AccessRefused, func(s *suite, c amqp.Channel, _ string) error {
		return c.Declare("amq.gen-a", amqp.QueueLimits{})
	}},
	{"declare the queue of another link", amqp.ResourceLocked, func(s *suite, c amqp.Channel, other string) error {
		return c.Declare(other, amqp.QueueLimits{})
	}},
	{"consume the queue of another link", amqp.ResourceLocked, func(s *suite, c amqp.Channel, other string) error {
		return c.Consume(other, 1)
	}},
	{"delete the queue of another link", amqp.ResourceLocked, func(s *suite, c amqp.Channel, other string) error {
		return c.Delete(other)
	}},
	{"declare again with other limits", amqp.PreconditionFailed, func(s *suite, c amqp.Channel, _ string) error {
		queue := s.queueName()
		s.must(c.Declare(queue, amqp.QueueLimits{}))
		return c.Declare(queue, amqp.QueueLimits{MaxLength: 10})
	}},
	{"consume a missing queue", amqp.NotFound, func(s *suite, c amqp.Channel, _ string) error {
		return c.Consume(s.queueName(), 1)
	}},
	{"ask for the depth of a missing queue", amqp.NotFound, func(s *suite, c amqp.Channel, _ string) error {
		_, err := c.Depth(s.queueName())
		return err
	}},
}

func bindTo(s *suite, c amqp.Channel, exchange string) error {
	queue := s.queueName()
	s.must(c.Declare(queue, amqp.QueueLimits{}))
	return c.Bind(queue, amqp.Binding{Exchange: exchange, Pattern: "a"})
}

// refusedOperations returns the claim that a refused operation ends its channel and nothing else,
// for each of them.
func refusedOperations() (claims []claim) {
	for _, o := range refusedOnes {
		claims = append(claims, claim{"it ends its channel and nothing else to " + o.name, func(s *suite) {
			l := s.link()
			_, other := s.stream(s.link(), 1)
			c := s.channel(l)
			err := o.do(s, c, other)
			if amqp.KindOf(err) != amqp.Refused || codeOf(err) != o.code {
				s.Errorf("%v, want a refusal with %d", err, o.code)
			}
			s.isDead(c)
			s.alive(l)
		}})
	}
	return claims
}

func codeOf(err error) int {
	if e, ok := err.(*amqp.Error); ok {
		return e.Code
	}
	return 0
}

// isDead shows that a refused channel does nothing more, and can be closed.
func (s *suite) isDead(c amqp.Channel) {
	s.Helper()
	err := c.Declare(s.queueName(), amqp.QueueLimits{})
	s.isKind(err, amqp.ChannelLost)
	_, err = c.Next(s.giveUp())
	s.isKind(err, amqp.ChannelLost)
	s.must(c.Close())
}

func oddNames(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	witness, queue := s.stream(l, 1, amqp.Binding{Exchange: x, Pattern: "witness"})
	for _, odd := range []string{strings.Repeat("x", 256), strings.Repeat("é", 128), "a\xff", strings.Repeat("x", 70_000)} {
		for _, do := range []func(c amqp.Channel) error{
			func(c amqp.Channel) error { return c.Declare(odd, amqp.QueueLimits{}) },
			func(c amqp.Channel) error { return c.Consume(odd, 1) },
			func(c amqp.Channel) error { return c.Delete(odd) },
			func(c amqp.Channel) error { _, err := c.Depth(odd); return err },
			func(c amqp.Channel) error { return c.Bind(odd, amqp.Binding{Exchange: x, Pattern: "a"}) },
			func(c amqp.Channel) error { return c.Bind(queue, amqp.Binding{Exchange: odd, Pattern: "a"}) },
			func(c amqp.Channel) error { return c.Bind(queue, amqp.Binding{Exchange: x, Pattern: odd}) },
		} {
			c := s.channel(l)
			s.isKind(do(c), amqp.Refused)
			s.isDead(c)
		}
	}
	longest := strings.Repeat("x", amqp.MaxNameBytes)
	s.must(witness.Bind(queue, amqp.Binding{Exchange: x, Pattern: longest}))
	s.text(x, longest, "")
	if d := s.next(witness); d.RoutingKey != longest {
		s.Errorf("got %+v", d)
	}
}

func oddPrefetch(s *suite) {
	l := s.link()
	for _, prefetch := range []int{-1, 0, amqp.MaxPrefetch + 1} {
		c, queue := s.channel(l), s.queueName()
		s.must(c.Declare(queue, amqp.QueueLimits{}))
		s.isKind(c.Consume(queue, prefetch), amqp.Refused)
		s.isDead(c)
	}
	s.alive(l)
}

// The broker reports it later: the acknowledgement itself may seem
// to succeed.
func unknownTag(s *suite) {
	x, l := s.exchange("topic", "topic"), s.link()
	c, _ := s.stream(l, 5, amqp.Binding{Exchange: x, Pattern: "#"})
	s.text(x, "a", "")
	d := s.next(c)
	if err := c.Acknowledge(d.Tag + 1); err != nil {
		s.isKind(err, amqp.Refused)
	}
	s.isKind(s.ends(c), amqp.ChannelLost)
	s.must(c.Close())
	s.alive(l)
}

func noOrphan(s *suite) {
	l := s.link()
	c, queue := s.stream(l, 1)
	s.isKind(c.Bind(queue, amqp.Binding{Exchange: "exchange/contract/" + s.id + "/missing", Pattern: "a"}), amqp.Refused)
	s.eventually("the queue is gone", func() bool { return !s.exists(queue) })
	s.must(c.Close())
	s.alive(l)
}

func declareAgain(s *suite) {
	c, queue := s.channel(s.link()), s.queueName()
	for range 2 {
		s.must(c.Declare(queue, amqp.QueueLimits{MaxLength: 5}))
	}
}

func exhausted(s *suite) {
	l := s.link()
	var channels []amqp.Channel
	for len(channels) < 1<<16 {
		c, err := l.Channel()
		if err != nil {
			s.isKind(err, amqp.Exhausted)
			break
		}
		channels = append(channels, c)
	}
	if len(channels) == 0 {
		s.Fatal("a new link has no room for a channel")
	}
	if told := amqp.Capacity(l); told != 0 && told != len(channels) {
		s.Errorf("room for %d channels, the link tells %d", len(channels), told)
	}
	s.must(channels[0].Close())
	s.alive(l)
}

// missingWhat: a queue that was deleted is not the client's mistake.
func missingWhat(s *suite) {
	exchange, queue := s.exchange("topic", "topic"), s.queueName()
	link := s.link()
	missing := amqp.Binding{Exchange: "exchange/contract/" + s.id + "/missing", Pattern: "#"}
	for subject, bind := range map[string]func(amqp.Channel) error{
		queue: func(c amqp.Channel) error { return c.Bind(queue, amqp.Binding{Exchange: exchange, Pattern: "#"}) },
		missing.Exchange: func(c amqp.Channel) error {
			other := s.queueName()
			s.must(c.Declare(other, amqp.QueueLimits{}))
			return c.Bind(other, missing)
		},
	} {
		var e *amqp.Error
		c := s.channel(link)
		if err := bind(c); !errors.As(err, &e) || e.Subject != subject {
			s.Errorf("%v, want an error about %s", err, subject)
		}
		c.Close()
	}
}
