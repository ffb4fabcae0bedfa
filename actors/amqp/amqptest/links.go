package amqptest

import (
	"context"
	"reflect"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

var links = []claim{
	{"a dial returns a link or an error", linkOrError},
	{"links are different keys of a map", linksAreKeys},
	{"a link can be asked at any time, and names one channel of its loss", askedAtAnyTime},
	{"a link opens a channel or returns an error", channelOrError},
	{"a dial ends with its context", dialEnds},
}

// isNil reports whether a value is nil, be it a nil pointer in an interface.
func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return v == nil || r.Kind() == reflect.Pointer && r.IsNil()
}

func linkOrError(s *suite) {
	l, err := s.Dialer.Dial(s.ctx)
	if isNil(l) == (err == nil) {
		s.Fatalf("got %v, %v", l, err)
	}
	s.must(err)
	s.must(l.Close(patience))
}

func linksAreKeys(s *suite) {
	defer func() {
		if r := recover(); r != nil {
			s.Fatalf("a link cannot be the key of a map: %v", r)
		}
	}()
	one, two := s.link(), s.link()
	seen := map[amqp.Link]bool{one: true}
	if seen[two] || !seen[one] {
		s.Error("two links are equal")
	}
}

// askedAtAnyTime: before and after the end.
func askedAtAnyTime(s *suite) {
	l := s.link()
	lost := l.Lost()
	for range 2 {
		if lost == nil || l.Lost() != lost {
			s.Fatal("the channel of its loss is nil or another one")
		}
		s.must(l.Err())
		if amqp.Capacity(l) < 0 {
			s.Errorf("the link tells %d channels", amqp.Capacity(l))
		}
		amqp.Address(l)
		s.must(l.Close(patience))
		<-lost
	}
}

func channelOrError(s *suite) {
	l := s.link()
	c, err := l.Channel()
	if isNil(c) || err != nil {
		s.Fatalf("got %v, %v", c, err)
	}
	s.must(l.Close(time.Second))
	if c, err := l.Channel(); !isNil(c) || err == nil {
		s.Errorf("a closed link: got %v, %v", c, err)
	}
}

func dialEnds(s *suite) {
	ctx, cancel := context.WithCancel(s.ctx)
	cancel()
	l, err := s.Dialer.Dial(ctx)
	if isNil(l) == (err == nil) {
		s.Fatalf("got %v, %v", l, err)
	}
	if err == nil { // it was faster
		s.must(l.Close(patience))
	}
}
