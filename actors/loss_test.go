package actors_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// What can happen to a broker under open streams: each stream is told its code
// once, as its last event, and new streams work without anybody's help.
func TestALossIsToldToEveryStreamAndHeals(t *testing.T) {
	for _, loss := range []struct {
		name   string
		happen func(f *fixture)
		code   actors.Code
		links  int64 // lost
	}{
		{"links cut", func(f *fixture) { f.broker.DropLinks() }, actors.BrokerLost, 1},
		{"broker restarted", func(f *fixture) { f.broker.Stop(); f.broker.Start(); f.declare(task) }, actors.BrokerLost, 1},
		{"channels closed", func(f *fixture) { f.broker.CloseChannels() }, actors.BrokerLost, 0},
		{"queues deleted", func(f *fixture) { f.deleteQueues(nil) }, actors.QueueDeleted, 0},
	} {
		t.Run(loss.name, func(t *testing.T) {
			eachMode(t, nil, func(f *fixture) {
				streams := []*actors.Stream{f.ready(task, "#"), f.ready(task, "#"), f.ready(task, "a.*")}
				f.publish("a.b", 2)
				for _, s := range streams {
					f.messages(s, 2)
				}
				loss.happen(f)
				for _, s := range streams {
					if err := f.ends(s, loss.code); !err.Code.Retryable() {
						f.t.Fatal("not retryable")
					}
				}
				f.clean()
				pass(time.Second) // the back-off's first pause
				f.works()
				s := f.Stats()
				if s.LinksLost != loss.links || s.Ended[loss.code] != 3 {
					f.t.Fatalf("counted %d links lost, %v ended", s.LinksLost, s.Ended)
				}
			})
		})
	}
}

// What was delivered before the loss comes before the error.
func TestMessagesBeforeALossAreNotLostWithIt(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.ready(task, "#")
		f.publish("a", 5)
		synctest.Wait() // they wait for the reader
		f.broker.DropLinks()
		synctest.Wait()
		f.messages(s, 5)
		f.ends(s, actors.BrokerLost)
	})
}

// A queue that was deleted is not made anew behind the client's back: it
// would hide the gap.
func TestADeletedQueueStaysDeleted(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.ready(task, "#")
		declared := f.record.count("declare")
		f.deleteQueues(nil)
		f.ends(s, actors.QueueDeleted)
		pass(time.Minute)
		if n := f.record.count("declare"); n != declared || len(f.broker.Queues()) != 0 {
			f.t.Fatalf("%d declares, queues %v", n, f.broker.Queues())
		}
	})
}

// A deleted queue may first be noticed by the look at its length.
func TestAQueueThatIsMissedByALookAtItWasDeleted(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Prefetch = 1 }, func(f *fixture) {
		f.record.before(func(c call) error {
			if c.op == "depth" {
				return &amqp.Error{Kind: amqp.Refused, Code: amqp.NotFound, Op: "depth", Cause: errors.New("no queue")}
			}
			return nil
		})
		s := f.ready(task, "#")
		f.publish("a", 2) // the window is full, so the worker looks
		pass(2 * time.Second)
		f.ends(s, actors.QueueDeleted)
	})
}

// A frozen network is silent, and pings go on, until AMQP's heartbeat gives
// the link up.
func TestAFrozenBrokerIsLostWithItsHeartbeat(t *testing.T) {
	for _, m := range modes {
		synctest.Test(t, func(t *testing.T) {
			f := openOn(t, amqp.NewMemory(amqp.MemoryOptions{Heartbeat: 5 * time.Second}), func(o *actors.Options) {
				m.set(o)
				o.PingPeriod = time.Second
			})
			s := f.ready(task, "#")
			f.broker.Freeze()
			start := time.Now()
			for {
				event := f.next(s)
				if _, ok := event.(actors.Ping); ok {
					continue
				}
				if err, ok := event.(*actors.Error); !ok || err.Code != actors.BrokerLost {
					t.Fatal(event)
				}
				break
			}
			if took := time.Since(start); took > 10*time.Second {
				t.Fatalf("noticed after %s, want one and a half heartbeats", took)
			}
			f.broker.Thaw()
			pass(10 * time.Second)
			f.works()
		})
	}
}

// The gap in AMQP's heartbeat: a link that answers no more while a channel is
// opened is given up by us.
func TestALinkThatStopsAnsweringIsReplaced(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		f.works()
		f.broker.Freeze() // this broker knows no heartbeat
		stuck := f.connect(task, "#")
		pass(20 * time.Second)
		f.ends(stuck, actors.BrokerUnavailable)
		f.broker.Thaw()
		pass(20 * time.Second)
		f.works()
	})
}

// The same where the reader leaves first: its call is still under way.
func TestALinkThatStopsAnsweringIsReplacedThoughTheReaderLeft(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		f.works()
		dials := f.Stats().Dials
		f.broker.Freeze()
		f.connect(task, "#").Close()
		stuck := f.connect(task, "#")
		synctest.Wait()
		stuck.Close()
		pass(20 * time.Second)
		if f.Stats().Dials == dials {
			f.t.Fatal("the loss of a link that does not answer was not noticed")
		}
		f.broker.Thaw()
		pass(20 * time.Second)
		f.works()
	})
}

// A hundred bindings over a slow line take long in all, but each is answered.
func TestASlowLineIsNoDeadLink(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		other := f.ready(task, "other")
		f.record.before(func(c call) error {
			if c.op == "bind" {
				time.Sleep(time.Second)
			}
			return nil
		})
		var r actors.Request
		for i := range 100 {
			r.Bindings = append(r.Bindings, amqp.Binding{Exchange: task, Pattern: string(rune('a'+i%26)) + string(rune('a'+i/26))})
		}
		s, err := f.Connect(f.t.Context(), r)
		if err != nil {
			f.t.Fatal(err)
		}
		defer s.Close()
		pass(2 * time.Minute)
		f.awaitReady(s)
		f.publish("other", 1)
		f.messages(other, 1)
	})
}
