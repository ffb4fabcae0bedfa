package amqp_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/amqptest"
)

// A broker that clients know by other names, and that keeps some messages to itself.
func ExampleWrap() {
	broker := amqp.NewMemory()
	defer broker.Close()
	dialer := amqp.Wrap(broker, amqp.Hooks{
		Bind: func(b amqp.Binding) (amqp.Binding, error) {
			b.Exchange = "amq." + b.Exchange
			return b, nil
		},
		Deliver: func(d *amqp.Delivery) bool {
			d.Exchange = strings.TrimPrefix(d.Exchange, "amq.")
			return !strings.HasPrefix(d.RoutingKey, "private.")
		},
	})

	ctx := context.Background()
	link, err := dialer.Dial(ctx)
	if err != nil {
		log.Fatal(err)
	}
	channel, err := link.Channel()
	if err != nil {
		log.Fatal(err)
	}
	channel.Declare("queue", amqp.QueueLimits{})
	channel.Consume("queue", 10)
	channel.Bind("queue", amqp.Binding{Exchange: "topic", Pattern: "#"})
	publisher, err := broker.Publisher(ctx)
	if err != nil {
		log.Fatal(err)
	}
	publisher.Publish(ctx, "amq.topic", "private.key", amqp.Message{})
	publisher.Publish(ctx, "amq.topic", "public.key", amqp.Message{})
	delivery, err := channel.Next(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(delivery.Exchange, delivery.RoutingKey)
	// Output: topic public.key
}

// A wrapper without hooks is the broker that it wraps.
func TestAWrappedBrokerKeepsTheContract(t *testing.T) {
	amqptest.Run(t, func(t *testing.T) amqptest.Broker {
		b := memoryBroker(t)
		b.Dialer = amqp.Wrap(b.Dialer, amqp.Hooks{})
		return b
	})
}

// What a wrapper tells is what the broker tells.
func TestAWrapperTellsWhatItsBrokerTells(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{Nodes: []string{"a:1", "b:1"}, ChannelsPerLink: 7})
	d := amqp.Wrap(m, amqp.Hooks{})
	if got := d.Addresses(t.Context()); !slices.Equal(got, []string{"a:1", "b:1"}) {
		t.Errorf("addresses %q", got)
	}
	l, err := d.DialWhere(t.Context(), only("b:1"))
	must(t, err)
	if amqp.Address(l) != "b:1" || amqp.Capacity(l) != 7 {
		t.Errorf("the link tells %q, %d", amqp.Address(l), amqp.Capacity(l))
	}
	if _, can := channel(t, l).(amqp.Prefetcher); !can {
		t.Error("the prefetch of a wrapped channel cannot change")
	}
	lonely := amqp.Wrap(&amqptest.Dialer{Outcomes: []amqptest.Outcome{amqptest.Through(m), amqptest.Gives(nil)}}, amqp.Hooks{})
	if got := lonely.Addresses(t.Context()); got != nil {
		t.Errorf("addresses %q", got)
	}
	_, err = lonely.DialWhere(t.Context(), only("b:1"))
	must(t, err)
	if l, err := lonely.Dial(t.Context()); l != nil || err == nil {
		t.Errorf("got %v, %v", l, err)
	}
	r := dialer(t, "amqp://ada:secret@localhost")
	if amqp.User(amqp.Wrap(r, amqp.Hooks{})) != "ada" || amqp.User(m) != "" {
		t.Error("the user is not that of the URL")
	}
}

// A hook may refuse a binding; the stream hears of it as of any refusal.
func TestAWrapperRefusesABinding(t *testing.T) {
	closed := errors.New("closed on Sundays")
	l := link(t, amqp.Wrap(newMemory(t, amqp.MemoryOptions{}), amqp.Hooks{
		Bind: func(amqp.Binding) (amqp.Binding, error) { return amqp.Binding{}, closed },
	}))
	c := channel(t, l)
	must(t, c.Declare("a", amqp.QueueLimits{}))
	err := c.Bind("a", amqp.Binding{Exchange: "amq.topic", Pattern: "#"})
	isRefused(t, err, amqp.AccessRefused)
	if !errors.Is(err, closed) {
		t.Errorf("got %v", err)
	}
}

// Messages that a wrapper drops never fill the window of those that it passes on, and their
// acknowledgements never cover one that is still being worked on.
func TestDroppedMessagesAreAcknowledgedInTheirTurn(t *testing.T) {
	synctest.Test(t, droppedMessages)
}

func droppedMessages(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{})
	drops := amqp.Hooks{Deliver: func(d *amqp.Delivery) bool { return d.RoutingKey != "drop" }}
	l := link(t, amqp.Wrap(m, drops))
	c := channel(t, l)
	must(t, c.Declare("a", amqp.QueueLimits{}))
	must(t, c.Consume("a", 3))
	must(t, c.Bind("a", amqp.Binding{Exchange: "amq.topic", Pattern: "#"}))
	p, err := m.Publisher(t.Context())
	must(t, err)
	publish := func(keys ...string) {
		t.Helper()
		for _, key := range keys {
			must(t, p.Publish(t.Context(), "amq.topic", key, amqp.Message{}))
		}
	}
	keys := func(want ...string) (last uint64) {
		t.Helper()
		for _, key := range want {
			d := next(t, c)
			if d.RoutingKey != key || d.Redelivered {
				t.Fatalf("got %+v, want %s", d, key)
			}
			last = d.Tag
		}
		return last
	}
	publish("drop", "drop", "drop", "drop", "drop", "a")
	tag := keys("a") // five dropped, the window is three
	publish("drop", "drop", "drop", "b")
	look(t, c) // the window is full: a and two that were dropped behind it
	must(t, c.Acknowledge(tag))
	tag = keys("b")
	must(t, c.Acknowledge(tag))
	publish("drop", "c", "d", "drop")
	tag = keys("c")
	keys("d")
	look(t, c)
	must(t, c.Acknowledge(tag)) // neither d nor what was dropped behind it
	other := channel(t, l)
	must(t, other.Consume("a", 3))
	must(t, c.Close())
	if d := next(t, other); d.RoutingKey != "d" || !d.Redelivered {
		t.Errorf("got %+v: it was acknowledged before its time", d)
	}
	look(t, other) // at the dropped one behind it
	must(t, other.Acknowledge(1))

	publish("e", "drop", "drop")
	if d := next(t, other); d.RoutingKey != "e" {
		t.Fatalf("got %+v", d)
	}
	look(t, other)
	must(t, other.Acknowledge(3)) // e, and with it what was dropped behind it
	last := channel(t, l)
	must(t, last.Consume("a", 3))
	must(t, other.Close())
	publish("f")
	if d := next(t, last); d.RoutingKey != "f" || d.Tag != 1 {
		t.Errorf("got %+v: a dropped message came again", d)
	}
}

// look calls Next until nothing more comes, in a bubble. No delivery may be passed on.
func look(t *testing.T, c amqp.Channel) {
	t.Helper()
	wake := make(chan struct{}, 1)
	time.AfterFunc(time.Second, func() { wake <- struct{}{} })
	if d, err := c.Next(wake); d != nil || err != nil {
		t.Fatalf("got %+v, %v", d, err)
	}
}
