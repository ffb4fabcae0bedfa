package amqptest

import (
	"slices"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

var routing = []claim{
	{"a topic pattern takes exactly the keys it describes", topicPatterns},
	{"a direct exchange routes by equality", directEquality},
	{"a fanout exchange routes everything", fanoutEverything},
	{"a message that several bindings match arrives once", onceForSeveralBindings},
	{"binding twice is harmless", bindTwice},
	{"keys in CC route too and are delivered in order", carbonCopies},
	{"a message goes to every queue that is bound", everyQueue},
	{"messages of one publisher keep their order", order},
}

// Words are what stands between dots, an empty one included; an empty key has no word.
func topicPatterns(s *suite) {
	keys := []string{"", "a", "b", "a.b", "a.b.c", "b.a", ".", "a.", ".a", "a..b", "a.b.c.d", "*", "#", "a.*"}
	cases := map[string][]string{
		"":        {""},
		"a":       {"a"},
		"a.b":     {"a.b"},
		"*":       {"a", "b", "*", "#"},
		"#":       keys,
		"a.*":     {"a.b", "a.", "a.*"},
		"a.#":     {"a", "a.b", "a.b.c", "a.", "a..b", "a.b.c.d", "a.*"},
		"#.a":     {"a", "b.a", ".a"},
		"*.*":     {"a.b", "b.a", ".", "a.", ".a", "a.*"},
		"*.#":     slices.DeleteFunc(slices.Clone(keys), func(k string) bool { return k == "" }),
		"#.#":     keys,
		"#.b.#":   {"b", "a.b", "a.b.c", "b.a", "a..b", "a.b.c.d"},
		"a.*.c":   {"a.b.c"},
		"a.#.d":   {"a.b.c.d"},
		"a.*.#.d": {"a.b.c.d"},
		"*.b.#":   {"a.b", "a.b.c", "a.b.c.d"},
		"a..b":    {"a..b"},
		"*a":      {},
	}
	x, end := s.exchange("topic", "topic"), s.exchange("end", "fanout")
	l := s.link()
	streams := map[string]amqp.Channel{}
	for pattern := range cases {
		streams[pattern], _ = s.stream(l, 50, amqp.Binding{Exchange: x, Pattern: pattern}, amqp.Binding{Exchange: end})
	}
	for _, key := range keys {
		s.text(x, key, "")
	}
	s.text(end, "", "")
	for pattern, want := range cases {
		var got []string
		for d := s.next(streams[pattern]); d.Exchange != end; d = s.next(streams[pattern]) {
			got = append(got, d.RoutingKey)
		}
		if !slices.Equal(got, want) {
			s.Errorf("%q took %q, want %q", pattern, got, want)
		}
	}
}

func directEquality(s *suite) {
	x := s.exchange("direct", "direct")
	c, _ := s.stream(s.link(), 10, amqp.Binding{Exchange: x, Pattern: "a.*"}, amqp.Binding{Exchange: x, Pattern: "last"})
	for _, key := range []string{"a", "a.b", "a.*", "#", "last"} {
		s.text(x, key, "")
	}
	if got := s.keys(c, 2); !slices.Equal(got, []string{"a.*", "last"}) {
		s.Errorf("got %q", got)
	}
}

func fanoutEverything(s *suite) {
	x := s.exchange("fanout", "fanout")
	c, _ := s.stream(s.link(), 10, amqp.Binding{Exchange: x, Pattern: "other"})
	for _, key := range []string{"", "a", "a.b"} {
		s.text(x, key, "")
	}
	if got := s.keys(c, 3); !slices.Equal(got, []string{"", "a", "a.b"}) {
		s.Errorf("got %q", got)
	}
}

func onceForSeveralBindings(s *suite) {
	x := s.exchange("topic", "topic")
	c, _ := s.stream(s.link(), 10,
		amqp.Binding{Exchange: x, Pattern: "a.#"}, amqp.Binding{Exchange: x, Pattern: "#.b"},
		amqp.Binding{Exchange: x, Pattern: "#"}, amqp.Binding{Exchange: x, Pattern: "a.b"})
	s.publish(x, "a.b", amqp.Message{CC: []string{"a.c", "a.b"}})
	s.text(x, "end", "")
	if got := s.keys(c, 2); !slices.Equal(got, []string{"a.b", "end"}) {
		s.Errorf("got %q", got)
	}
}

func bindTwice(s *suite) {
	x := s.exchange("topic", "topic")
	c, queue := s.stream(s.link(), 10, amqp.Binding{Exchange: x, Pattern: "a"})
	s.must(c.Bind(queue, amqp.Binding{Exchange: x, Pattern: "a"}))
	s.text(x, "a", "")
	s.text(x, "a", "")
	if got := s.keys(c, 2); !slices.Equal(got, []string{"a", "a"}) {
		s.Errorf("got %q", got)
	}
}

func carbonCopies(s *suite) {
	x := s.exchange("topic", "topic")
	c, _ := s.stream(s.link(), 10, amqp.Binding{Exchange: x, Pattern: "route.#"})
	want := []string{"route.b", "other", "route.a", ""}
	s.publish(x, "primary", amqp.Message{CC: want})
	s.text(x, "route.last", "")
	d := s.next(c)
	if d.RoutingKey != "primary" || !slices.Equal(d.CC, want) {
		s.Errorf("got %+v", d)
	}
	if d = s.next(c); d.RoutingKey != "route.last" || d.CC != nil {
		s.Errorf("got %+v", d)
	}
}

func everyQueue(s *suite) {
	x := s.exchange("topic", "topic")
	var streams []amqp.Channel
	for range 2 {
		for l, i := s.link(), 0; i < 10; i++ {
			c, _ := s.stream(l, 10, amqp.Binding{Exchange: x, Pattern: "#"})
			streams = append(streams, c)
		}
	}
	s.text(x, "a", "body")
	for _, c := range streams {
		if d := s.next(c); d.RoutingKey != "a" || string(d.Body) != "body" || d.Exchange != x || d.Redelivered || d.Tag != 1 {
			s.Errorf("got %+v", d)
		}
	}
}

func order(s *suite) {
	x := s.exchange("topic", "topic")
	c, _ := s.stream(s.link(), 7, amqp.Binding{Exchange: x, Pattern: "*"})
	const count = 200
	for i := range count {
		s.text(x, "a", i)
	}
	for i := range uint64(count) {
		d := s.next(c)
		if string(d.Body) != amqpNumber(i) || d.Tag != i+1 {
			s.Fatalf("delivery %d is %+v", i, d)
		}
		s.must(c.Acknowledge(d.Tag))
	}
}
