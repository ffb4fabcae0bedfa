package actors_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// outcome is what a call into the port comes to instead of succeeding.
type outcome struct {
	name string
	fail func(op string) error
	code map[string]actors.Code // by op; "" for those not named
}

// opening are the calls before ready.
var opening = []string{"channel", "declare", "consume", "bind"}

func kinds() []outcome {
	failing := func(kind amqp.Kind, code int) func(string) error {
		return func(op string) error {
			return &amqp.Error{Kind: kind, Code: code, Op: op, Subject: task, Cause: errors.New("planted")}
		}
	}
	return []outcome{
		{"refused", failing(amqp.Refused, amqp.AccessRefused),
			map[string]actors.Code{"channel": actors.BrokerUnavailable, "declare": actors.BrokerUnavailable, "consume": actors.BrokerUnavailable, "bind": actors.BindingRefused}},
		{"cancelled", failing(amqp.Cancelled, 0),
			map[string]actors.Code{"": actors.QueueDeleted}},
		{"channel lost", failing(amqp.ChannelLost, 0),
			map[string]actors.Code{"channel": actors.BrokerUnavailable, "declare": actors.BrokerUnavailable, "consume": actors.BrokerUnavailable, "bind": actors.BrokerUnavailable}},
		{"link lost", failing(amqp.LinkLost, 0),
			map[string]actors.Code{"channel": actors.BrokerUnavailable, "declare": actors.BrokerUnavailable, "consume": actors.BrokerUnavailable, "bind": actors.BrokerUnavailable}},
		{"exhausted", failing(amqp.Exhausted, 0),
			map[string]actors.Code{"channel": actors.BrokerUnavailable, "declare": actors.BrokerUnavailable, "consume": actors.BrokerUnavailable, "bind": actors.BrokerUnavailable}},
		{"an error of another kind", func(string) error { return errors.New("planted") },
			map[string]actors.Code{"channel": actors.BrokerUnavailable, "declare": actors.BrokerUnavailable, "consume": actors.BrokerUnavailable, "bind": actors.BrokerUnavailable}},
		{"panic", func(op string) error { panic("planted in " + op) },
			map[string]actors.Code{"": actors.InternalError}},
	}
}

// expect returns the code of a failing op: what is not in the table is lost.
func (o outcome) expect(op string) actors.Code {
	if code, ok := o.code[op]; ok {
		return code
	}
	if code, ok := o.code[""]; ok {
		return code
	}
	return actors.BrokerLost
}

// Whatever goes wrong at whatever step: the client is told the right code, the
// channel is closed exactly once (the recorder looks, in every test), no queue
// is left, and the next stream works.
func TestEveryStepMayFailInEveryWay(t *testing.T) {
	for _, op := range append(opening, "next", "acknowledge", "depth") {
		for _, o := range kinds() {
			t.Run(op+" "+o.name, func(t *testing.T) {
				// A window of one is full at the first message, so that the worker
				// looks at the queue; a shared queue with readers behind, likewise.
				eachMode(t, func(o *actors.Options) {
					o.Limits.Prefetch, o.Limits.FeedPrefetch, o.Limits.BacklogBytes = 1, 1, 100
				}, func(f *fixture) {
					f.works()
					f.clean()
					planted := false
					f.record.before(func(c call) error {
						if c.op == op && !planted {
							planted = true
							return o.fail(op)
						}
						return nil
					})
					s := f.connect(task, "#")
					synctest.Wait()
					f.publish("a", 2)
					synctest.Wait()
					if op == "acknowledge" && !f.shared {
						s.Take(nil)
						s.Done()
					}
					pass(2 * time.Second) // the first look comes after one
					f.ends(s, o.expect(op))
					f.clean()
					f.record.before(func(call) error { return nil })
					f.works()
				})
			})
		}
	}
}

// A channel whose Close fails, or panics, is closed as far as we are concerned.
func TestACloseThatFailsIsNotRepeated(t *testing.T) {
	for _, o := range kinds() {
		t.Run(o.name, func(t *testing.T) {
			eachMode(t, func(o *actors.Options) { o.Limits.Linger = 1 }, func(f *fixture) {
				f.record.before(func(c call) error {
					if c.op == "close" {
						return o.fail("close")
					}
					return nil
				})
				f.works()
				f.ends(f.connect("exchange/none", "#"), actors.BindingRefused)
				f.clean()
			})
		})
	}
}

// A queue that never had a consumer does not go with its channel: it is deleted
// on another one.
func TestAQueueWithoutAConsumerIsDeleted(t *testing.T) {
	for _, o := range kinds() {
		t.Run(o.name, func(t *testing.T) {
			eachMode(t, nil, func(f *fixture) {
				f.record.before(func(c call) error {
					if c.op == "consume" {
						return o.fail("consume")
					}
					return nil
				})
				f.end(f.connect(task, "#"))
				f.clean()
				if n := f.record.count("delete"); n != 1 {
					f.t.Fatalf("%d queues were deleted", n)
				}
			})
		})
	}
}

// A broker may allow fewer channels than we thought. The stream that finds out
// is refused, the next ones get a link of their own, and no stream is lost.
func TestALinkWithoutChannelsIsFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := openOn(t, amqp.NewMemory(amqp.MemoryOptions{ChannelsPerLink: 2}), nil)
		first, second := f.ready(task, "#"), f.ready(task, "#")
		err := f.ends(f.connect(task, "#"), actors.BrokerUnavailable)
		if !err.Code.Retryable() {
			t.Fatal("not retryable")
		}
		third := f.ready(task, "#")
		f.publish("a", 1)
		for _, s := range []*actors.Stream{first, second, third} {
			f.messages(s, 1)
		}
		if n := f.broker.Links(); n != 2 {
			t.Fatalf("%d links", n)
		}
		second.Close()
		synctest.Wait()
		f.works() // on the first link again
		if n := f.broker.Links(); n != 2 {
			t.Fatalf("%d links", n)
		}
	})
}
