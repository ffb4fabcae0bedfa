package amqp_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A stopped broker ends everything and refuses dials; started again it is empty and works, for
// publishers too.
func TestMemoryStopsAndStarts(t *testing.T) {
	m := newMemory(t, amqp.MemoryOptions{})
	w := newWorld(t, m)
	m.Stop()
	isKind(t, ends(t, w.channel), amqp.LinkLost)
	isKind(t, w.link.Err(), amqp.LinkLost)
	<-w.link.Lost()
	_, err := m.Dial(t.Context())
	isKind(t, err, amqp.LinkLost)
	isKind(t, w.publisher.Publish(t.Context(), w.exchange, "a", amqp.Message{}), amqp.LinkLost)
	_, err = m.Publisher(t.Context())
	isKind(t, err, amqp.LinkLost)
	if n := len(m.Queues()) + len(m.Exchanges()) + m.Links() + m.Channels() + m.Consumers() + m.Bindings(); n != 0 {
		t.Errorf("%d things are left", n)
	}
	m.Start()
	isRefused(t, w.publisher.Publish(t.Context(), w.exchange, "a", amqp.Message{}), amqp.NotFound)
	must(t, w.publisher.Declare(t.Context(), w.exchange, "topic"))
	w = newWorld(t, m)
	must(t, w.publisher.Publish(t.Context(), w.exchange, "a", amqp.Message{}))
	next(t, w.channel)
	must(t, m.Close())
	m.Start() // not after Close
	_, err = m.Dial(t.Context())
	isKind(t, err, amqp.LinkLost)
}

// While the broker is frozen nothing comes and nothing is answered; thawed, it continues where it
// was.
func TestAFrozenMemoryThaws(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, amqp.MemoryOptions{})
		w := newWorld(t, m)
		must(t, w.publisher.Publish(t.Context(), w.exchange, "before", amqp.Message{}))
		must(t, w.publisher.Publish(t.Context(), w.exchange, "before", amqp.Message{}))
		d := next(t, w.channel)
		m.Freeze()
		must(t, w.channel.Acknowledge(d.Tag)) // acknowledgements are not answered
		delivered, opened := make(chan amqp.Delivery, 1), make(chan error, 1)
		go func() { delivered <- next(t, w.channel) }()
		go func() { _, err := w.link.Channel(); opened <- err }()
		if _, err := m.Dial(t.Context()); err == nil || amqp.KindOf(err) != amqp.LinkLost {
			t.Errorf("a frozen broker was dialled: %v", err) // after DialTimeout
		}
		synctest.Wait()
		if len(delivered)+len(opened) > 0 {
			t.Error("a frozen broker has answered")
		}
		m.Thaw()
		must(t, <-opened)
		if d := <-delivered; d.RoutingKey != "before" {
			t.Errorf("got %+v", d)
		}
		published := make(chan error, 1)
		m.Freeze()
		go func() { published <- w.publisher.Publish(t.Context(), w.exchange, "during", amqp.Message{}) }()
		synctest.Wait()
		m.Thaw()
		must(t, <-published)
		if d := next(t, w.channel); d.RoutingKey != "during" {
			t.Errorf("got %+v", d)
		}
	})
}

// After one and a half heartbeats the links to a frozen broker are lost.
func TestAFrozenMemoryIsLostByItsHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, amqp.MemoryOptions{Heartbeat: 2 * time.Second})
		w := newWorld(t, m)
		m.Freeze()
		m.Freeze() // no second one
		start := time.Now()
		isKind(t, w.channel.Declare("a", amqp.QueueLimits{}), amqp.LinkLost)
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("it took %s", waited)
		}
		isKind(t, ends(t, w.channel), amqp.LinkLost)
		isKind(t, w.link.Err(), amqp.LinkLost)
		m.Thaw()
		time.Sleep(time.Minute) // the timer of the first freeze concerns no later one
		l := link(t, m)
		m.Freeze()
		m.Thaw()
		time.Sleep(time.Minute)
		must(t, l.Err())
	})
}

// A link to a frozen broker closes after the patience that was given.
func TestALinkToAFrozenMemoryCloses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, amqp.MemoryOptions{})
		w := newWorld(t, m)
		m.Freeze()
		declared := make(chan error, 1)
		go func() { declared <- w.channel.Declare("a", amqp.QueueLimits{}) }()
		start := time.Now()
		isKind(t, w.link.Close(3*time.Second), amqp.LinkLost)
		if waited := time.Since(start); waited != 3*time.Second {
			t.Errorf("it took %s", waited)
		}
		isKind(t, <-declared, amqp.LinkLost)
		must(t, w.link.Err())
		must(t, w.channel.Close())
	})
}

// A publish ends with its context.
func TestAFrozenMemoryKeepsPublishersDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t, amqp.MemoryOptions{})
		w := newWorld(t, m)
		m.Freeze()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := w.publisher.Publish(ctx, w.exchange, "a", amqp.Message{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		m.Thaw()
		must(t, w.publisher.Close())
		isKind(t, w.publisher.Publish(t.Context(), w.exchange, "a", amqp.Message{}), amqp.LinkLost)
	})
}
