package amqp_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// What the broker in this process promises beyond the contract: its limits, its faults, and that
// tests can look inside. Time is the bubble's: waits cost none.

func newMemory(t *testing.T, o amqp.MemoryOptions) *amqp.Memory {
	m := amqp.NewMemory(o)
	t.Cleanup(func() { m.Close() })
	return m
}

func link(t *testing.T, d amqp.Dialer) amqp.Link {
	t.Helper()
	l, err := d.Dial(t.Context())
	must(t, err)
	return l
}

func channel(t *testing.T, l amqp.Link) amqp.Channel {
	t.Helper()
	c, err := l.Channel()
	must(t, err)
	return c
}

// isRefused checks the code too.
func isRefused(t *testing.T, err error, code int) {
	t.Helper()
	var e *amqp.Error
	if !errors.As(err, &e) || e.Kind != amqp.Refused || e.Code != code {
		t.Errorf("got %v, want a refusal with %d", err, code)
	}
}

// A queue without a consumer is deleted after its x-expires; one with a consumer stays.
func TestAnUnusedQueueExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, amqp.MemoryOptions{})
		l := link(t, m)
		unused, used := channel(t, l), channel(t, l)
		must(t, unused.Declare("unused", amqp.QueueLimits{}))
		must(t, used.Declare("used", amqp.QueueLimits{}))
		must(t, used.Consume("used", 1))
		time.Sleep(59 * time.Second)
		if got := m.Queues(); !slices.Equal(got, []string{"unused", "used"}) {
			t.Errorf("after 59 s there is %q", got)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if got := m.Queues(); !slices.Equal(got, []string{"used"}) {
			t.Errorf("after a minute there is %q", got)
		}
	})
}

// The limits of MemoryOptions are refused as RabbitMQ refuses its own.
func TestMemoryKeepsItsLimits(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{MessageBytes: 10, Queues: 2, ChannelsPerLink: 4})
	l := link(t, m)
	for _, queue := range []string{"a", "b"} {
		must(t, channel(t, l).Declare(queue, amqp.QueueLimits{}))
	}
	isRefused(t, channel(t, l).Declare("c", amqp.QueueLimits{}), amqp.PreconditionFailed)
	channel(t, l)
	channel(t, l) // the refused one has made room
	_, err := l.Channel()
	isKind(t, err, amqp.Exhausted)

	p, err := m.Publisher(t.Context())
	must(t, err)
	must(t, p.Publish(t.Context(), "amq.topic", "a", amqp.Message{Body: make([]byte, 10)}))
	isRefused(t, p.Publish(t.Context(), "amq.topic", "a", amqp.Message{Body: make([]byte, 11)}), amqp.PreconditionFailed)
}

// Await sees every change, as it happens.
func TestAwaitSeesWhatChanges(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{})
	seen := make(chan error, 1)
	ctx := bounded(t)
	go func() {
		seen <- m.Await(ctx, func() bool { return m.Consumers() == 1 && m.Bindings() == 1 && m.Channels() == 1 && m.Links() == 1 })
	}()
	w := newWorld(t, m)
	must(t, <-seen)
	go func() { seen <- m.Await(ctx, func() bool { return len(m.Queues()) == 0 }) }()
	if !m.DeleteQueue(m.Queues()[0]) || m.DeleteQueue("none") {
		t.Error("DeleteQueue does not know what exists")
	}
	must(t, <-seen)
	isKind(t, ends(t, w.channel), amqp.Cancelled)
	short, cancel := context.WithTimeout(ctx, time.Millisecond)
	defer cancel()
	if err := m.Await(short, func() bool { return false }); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

// What is published to the default exchange goes to the queue of that name.
func TestTheDefaultExchangeRoutesByQueueName(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{})
	c := channel(t, link(t, m))
	must(t, c.Declare("a", amqp.QueueLimits{}))
	must(t, c.Consume("a", 1))
	p, err := m.Publisher(t.Context())
	must(t, err)
	must(t, p.Publish(t.Context(), "", "b", amqp.Message{}))
	must(t, p.Publish(t.Context(), "", "a", amqp.Message{Body: []byte("direct")}))
	if d := next(t, c); string(d.Body) != "direct" || d.Exchange != "" {
		t.Errorf("got %+v", d)
	}
}

// Consumers of one queue take turns, and none of them gets more than it can hold.
func TestConsumersOfAQueueTakeTurns(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{})
	l := link(t, m)
	one, two := channel(t, l), channel(t, l)
	must(t, one.Declare("a", amqp.QueueLimits{}))
	must(t, one.Consume("a", 2))
	must(t, two.Consume("a", 2))
	p, err := m.Publisher(t.Context())
	must(t, err)
	for range 6 {
		must(t, p.Publish(t.Context(), "", "a", amqp.Message{}))
	}
	for _, c := range []amqp.Channel{one, two, one, two} {
		next(t, c)
	}
	if n, err := one.Depth("a"); err != nil || n != 2 {
		t.Errorf("%d messages wait, %v", n, err)
	}
	must(t, one.Close()) // two goes on: its queue stays
	must(t, two.Acknowledge(2))
	for range 2 {
		if d := next(t, two); !d.Redelivered {
			t.Errorf("got %+v", d)
		}
	}
}

// What two consumers leave behind is in its old order for the third.
func TestWhatComesBackIsInOrder(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{})
	l := link(t, m)
	one, two, three := channel(t, l), channel(t, l), channel(t, l)
	must(t, one.Declare("a", amqp.QueueLimits{}))
	for _, c := range []amqp.Channel{one, two} {
		must(t, c.Consume("a", 2))
	}
	p, err := m.Publisher(t.Context())
	must(t, err)
	for i := range 6 {
		must(t, p.Publish(t.Context(), "", "a", amqp.Message{Body: []byte{byte(i)}}))
	}
	must(t, three.Consume("a", 1)) // 4
	must(t, one.Close())
	must(t, two.Close())
	for i, want := range []byte{4, 0, 1, 2, 3, 5} {
		d := next(t, three)
		if d.Body[0] != want || d.Redelivered != (want < 4) {
			t.Errorf("delivery %d is %+v, want %d", i, d, want)
		}
		must(t, three.Acknowledge(d.Tag))
	}
}

// A busy queue does not keep its consumer from other work.
func TestNextLooksForAWakeFirst(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{})
	w := newWorld(t, m)
	must(t, w.publisher.Publish(t.Context(), w.exchange, "a", amqp.Message{}))
	wake := make(chan struct{}, 1)
	wake <- struct{}{}
	if d, err := w.channel.Next(wake); d != nil || err != nil {
		t.Errorf("got %+v, %v", d, err)
	}
}

// With an exchange go its bindings; their queue stays and can go later.
func TestADeletedExchangeLeavesNoBinding(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{})
	w := newWorld(t, m)
	must(t, w.publisher.Delete(t.Context(), w.exchange))
	if m.Bindings() != 0 || len(m.Exchanges()) != 0 || len(m.Queues()) != 1 {
		t.Errorf("%d bindings, exchanges %q, queues %q", m.Bindings(), m.Exchanges(), m.Queues())
	}
	must(t, w.channel.Close())
	if len(m.Queues()) != 0 {
		t.Errorf("queues %q", m.Queues())
	}
}
