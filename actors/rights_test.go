package actors_test

import (
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The broker has as many queues as its operator allows. The request is right: the client may come
// back, and gets its stream when there is room.
func TestABrokerWithoutRoomForAQueueIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openOn(t, amqp.NewMemory(amqp.MemoryOptions{Queues: 2}), nil)
		first, _ := f.ready(task, "a"), f.ready(task, "b")
		err := f.ends(f.connect(task, "c"), actors.BrokerUnavailable)
		if !err.Code.Retryable() {
			t.Fatal("it may work later")
		}
		if f.Health().Denied || f.Stats().Denied != 0 {
			t.Fatal("want of room counts as want of rights")
		}
		first.Close()
		f.until("there is room", func() bool { return len(f.broker.Queues()) == 1 })
		f.ready(task, "c")
	})
}

// The service's user has lost its right to make queues. The clients are told to come back; the
// operator gets one ERROR a minute, the health and a count; and when the right is back, that is
// noticed without a stream.
func TestAMissingRightOfTheServiceIsToldToTheOperator(t *testing.T) {
	for _, scouts := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			var log strings.Builder
			var denied atomic.Bool
			f := openOn(t, amqp.NewMemory(), func(o *actors.Options) {
				o.NoScouts = !scouts
				o.Logger = slog.New(slog.NewTextHandler(&log, nil))
			})
			f.ready(task, "#").Close()
			f.record.before(func(c call) error {
				if c.op == "declare" && denied.Load() {
					return &amqp.Error{Kind: amqp.Refused, Code: amqp.AccessRefused, Op: "declare", Subject: c.subject}
				}
				return nil
			})
			denied.Store(true)
			for range 5 {
				if err := f.ends(f.connect(task, "a"), actors.BrokerUnavailable); !err.Code.Retryable() {
					t.Fatal("it may work later")
				}
			}
			synctest.Wait()
			if h := f.Health(); !h.Denied || !h.BrokerUp {
				t.Fatalf("the health is %+v", h)
			}
			if n := f.Stats().Denied; n != 5 {
				t.Fatalf("%d are counted", n)
			}
			if n := strings.Count(log.String(), "level=ERROR msg=\"the broker denies"); n != 1 {
				t.Fatalf("%d ERROR lines within a minute, want one:\n%s", n, log.String())
			}
			pass(time.Minute)
			if !f.Health().Denied {
				t.Fatal("it is not denied any more, though nothing has changed")
			}
			denied.Store(false)
			pass(time.Minute)
			if f.Health().Denied {
				t.Fatal("the right is back, and not noticed")
			}
			f.works()
		})
	}
}
