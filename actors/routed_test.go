package actors_test

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

const (
	status   = "exchange/tc/status" // a second exchange that is routed
	unlisted = "exchange/tc/v1/unlisted"
)

// to publishes a body to an exchange.
func (f *fixture) to(exchange, key, body string, cc ...string) {
	f.t.Helper()
	f.publishTo(bounded(f.t), exchange, key, amqp.Message{Body: []byte(body), CC: cc})
}

// asks connects with bindings, each "exchange pattern", and reads until the stream is ready.
func (f *fixture) asks(bindings ...string) *actors.Stream {
	f.t.Helper()
	var r actors.Request
	for _, text := range bindings {
		exchange, pattern, _ := strings.Cut(text, " ")
		r.Bindings = append(r.Bindings, amqp.Binding{Exchange: exchange, Pattern: pattern})
	}
	s, err := f.Connect(bounded(f.t), r)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	f.awaitReady(s)
	return s
}

// reads fails unless these are the stream's next messages.
func (f *fixture) reads(s *actors.Stream, bodies ...string) {
	f.t.Helper()
	for _, want := range bodies {
		if m := f.message(s); string(m.Body) != want {
			f.t.Fatalf("have %s, want %s", m.Body, want)
		}
	}
}

// What the clients bind costs the broker nothing: it has one queue with one binding for each
// exchange, whoever comes, and the order between exchanges is kept.
func TestStreamsOfRoutedExchangesShareOneQueueWhateverTheyBind(t *testing.T) {
	bubble(t, routed, func(f *fixture) {
		f.declare(status)
		var streams []*actors.Stream
		for i := range 20 {
			streams = append(streams, f.asks(fmt.Sprintf("%s a.%d.#", task, i), fmt.Sprintf("%s *.%d", status, i)))
		}
		all := f.asks(task+" #", status+" #")
		if queues, bindings := len(f.broker.Queues()), f.broker.Bindings(); queues != 1 || bindings != 2 {
			f.t.Fatalf("%d queues with %d bindings, want 1 with 2", queues, bindings)
		}
		for range 3 {
			f.to(task, "a.7.b", "1")
			f.to(status, "a.7", "2")
			f.to(status, "of.nobody.else", "3")
			f.to(task, "odd", "4", "a.7")
		}
		for range 3 {
			f.reads(streams[7], "1", "2", "4")
			f.reads(all, "1", "2", "3", "4")
		}
		for _, state := range f.Snapshot().Streams {
			if want := map[string]int64{streams[7].ID(): 9, all.ID(): 12}[state.ID]; state.Messages != want {
				f.t.Errorf("%v has %d messages, want %d", state.Bindings, state.Messages, want)
			}
		}
		s := f.Stats()
		if s.Feeds != 1 || s.FeedStreams != 21 || s.Routed != 21 || s.Patterns != 42 || s.Messages != 12 || s.Matches != 21 || s.Unwanted != 0 {
			f.t.Errorf("the counters are %+v", s)
		}
		all.Close()
		synctest.Wait()
		if s := f.Stats(); s.Routed != 20 || s.Patterns != 40 {
			f.t.Errorf("%d streams with %d patterns are left", s.Routed, s.Patterns)
		}
	})
}

// A message that several streams want is encoded once; one that no stream wants is not even decoded.
func TestARoutedMessageIsEncodedOnceOrNotAtAll(t *testing.T) {
	bubble(t, routed, func(f *fixture) {
		a, b := f.ready(task, "a.#"), f.ready(task, "#.b")
		f.to(task, "c", "no JSON")
		f.to(task, "a.b", "7")
		first, second := f.message(a), f.message(b)
		if &first.JSON[0] != &second.JSON[0] {
			t.Error("the message was encoded for each stream")
		}
		s := f.Stats()
		if s.Messages != 2 || s.Unwanted != 1 || len(s.Payloads) != 0 || s.Bytes != int64(len("no JSON")+1) {
			t.Errorf("the counters are %+v", s)
		}
		f.until("both are acknowledged", func() bool { return len(f.record.acknowledged(1)) > 0 })
	})
}

// Once an exchange is bound a stream is ready without the broker, which may be frozen.
func TestAFurtherRoutedStreamIsReadyWithoutTheBroker(t *testing.T) {
	bubble(t, routed, func(f *fixture) {
		f.ready(task, "a")
		synctest.Wait() // its feed waits for messages
		before := f.record.all()
		f.broker.Freeze()
		f.ready(task, "b")
		f.broker.Thaw()
		if n := f.record.all() - before; n != 0 {
			t.Errorf("%d calls of the broker", n)
		}
	})
}

// A stream with a binding on another exchange takes the way that it takes without routing.
func TestAStreamThatIsNotRoutedTakesTheUsualWay(t *testing.T) {
	for _, share := range []bool{false, true} {
		bubble(t, func(o *actors.Options) { routed(o); o.ShareQueues = share }, func(f *fixture) {
			f.declare(unlisted)
			f.asks(task + " a")
			one, two := f.asks(task+" a", unlisted+" b"), f.asks(task+" a", unlisted+" b")
			queues := map[bool]int{false: 3, true: 2}[share]
			if n := len(f.broker.Queues()); n != queues {
				t.Errorf("%d queues, want %d", n, queues)
			}
			f.to(task, "a", "1")
			f.to(unlisted, "b", "2")
			f.reads(one, "1", "2")
			f.reads(two, "1", "2")
		})
	}
}

// A stream with a queue of its own has no feed that could be made to fail.
func TestOnlyAFeedsStreamHasAFeed(t *testing.T) {
	bubble(t, routed, func(f *fixture) {
		f.declare(unlisted)
		own := f.ready(unlisted, "#")
		if err := f.Crash(actors.RoleFeed, own.ID()); err == nil {
			t.Error("a feed of a stream with a queue of its own")
		}
		f.to(unlisted, "a", "1")
		f.reads(own, "1")
	})
}

// The routed queue's failure reaches its streams, those too that are not ready yet, and no other.
func TestARoutedQueuesFailureIsToldToItsStreams(t *testing.T) {
	for _, c := range []struct {
		name string
		harm func(f *fixture, routed *actors.Stream, keep []string)
		code actors.Code
	}{
		{"queue deleted", func(f *fixture, _ *actors.Stream, keep []string) { f.deleteQueues(keep) }, actors.QueueDeleted},
		{"consumer", func(f *fixture, s *actors.Stream, _ []string) { f.crash(actors.RoleConsumer, s.ID()) }, actors.InternalError},
		{"worker", func(f *fixture, s *actors.Stream, _ []string) { f.crash(actors.RoleWorker, s.ID()) }, actors.InternalError},
		{"feed", func(f *fixture, s *actors.Stream, _ []string) { f.crash(actors.RoleFeed, s.ID()) }, actors.InternalError},
	} {
		t.Run(c.name, func(t *testing.T) {
			bubble(t, routed, func(f *fixture) {
				f.declare(unlisted)
				other := f.ready(unlisted, "#")
				keep := f.broker.Queues()
				a := f.ready(task, "a")
				f.declare(remote)
				end := f.silence("bind", remote)
				b := f.connect(remote, "b")
				synctest.Wait()
				c.harm(f, a, keep)
				for _, s := range []*actors.Stream{a, b} {
					if err := f.ends(s, c.code); err.RetryAfter() == 0 {
						t.Error("no time to wait before the next try")
					}
				}
				end()
				f.record.before(func(call) error { return nil })
				f.to(unlisted, "a", "1")
				f.reads(other, "1")
				synctest.Wait()
				if s := f.Stats(); s.Routed != 0 || s.Patterns != 0 {
					t.Errorf("%d streams and %d patterns are counted", s.Routed, s.Patterns)
				}
				f.works()
			})
		})
	}
}

// Binding an exchange may hang, as when a peer of the broker's cluster is frozen. Those who want it
// are told in bounded time, the other routed streams miss nothing, newcomers of other exchanges are
// ready, and those of this one once the broker has answered.
func TestAnExchangeWhoseBindHangsHoldsUpOnlyWhoWantIt(t *testing.T) {
	bubble(t, routed, func(f *fixture) {
		for _, exchange := range []string{remote, status} {
			f.declare(exchange)
		}
		living := f.ready(task, "a")
		end := f.silenceUntil("bind", remote)
		start := time.Now()
		first := f.connect(remote, "#")
		pass(5 * time.Second)
		second := f.asks(status + " #")
		f.to(task, "a", "1")
		f.to(status, "a", "2")
		f.reads(living, "1")
		f.reads(second, "2")
		f.ends(first, actors.BrokerUnavailable)
		if took := time.Since(start); took > 11*time.Second {
			t.Errorf("told after %s", took)
		}
		late := f.connect(remote, "#")
		f.ends(late, actors.BrokerUnavailable)
		again := f.connect(remote, "#")
		synctest.Wait()
		end()
		f.awaitReady(again)
		f.to(remote, "a", "3")
		f.reads(again, "3")
		f.to(task, "a", "4")
		f.reads(living, "4")
		if s := f.Stats(); s.LinksLost != 0 || s.LinksRetired != 0 {
			t.Errorf("%d links lost, %d retired", s.LinksLost, s.LinksRetired)
		}
	})
}

// silenceUntil makes calls of an op on a subject hang until the returned function is called; they
// are carried out then.
func (f *fixture) silenceUntil(op, subject string) (end func()) {
	silent := make(chan struct{})
	f.record.before(func(c call) error {
		if c.op == op && c.subject == subject {
			<-silent
		}
		return nil
	})
	return func() { close(silent) }
}

// A stream that leaves while its exchange is being bound leaves nothing, and is not sent anything.
func TestARoutedStreamMayLeaveBeforeItIsReady(t *testing.T) {
	bubble(t, routed, func(f *fixture) {
		end := f.silenceUntil("bind", task)
		s := f.connect(task, "#")
		synctest.Wait()
		s.Close()
		synctest.Wait()
		end()
		synctest.Wait()
		if n := f.Stats().Routed; n != 0 {
			t.Errorf("%d streams are routed", n)
		}
		f.clean()
		f.works()
	})
}

// A reader that does not read is cut alone: the feed waits for nobody, and the others, who want
// something else, do not notice.
func TestAStuckReaderOfTheRoutedQueueIsCutAlone(t *testing.T) {
	bubble(t, func(o *actors.Options) { routed(o); o.Limits.BacklogBytes = 4096 }, func(f *fixture) {
		stuck, same, other := f.ready(task, "hot.#"), f.ready(task, "hot.a"), f.ready(task, "cold")
		start := time.Now()
		for range 500 {
			f.to(task, "hot.a", `"some thirty bytes of a message"`)
			f.message(same)
			f.to(task, "cold", "1")
			f.message(other)
		}
		if took := time.Since(start); took > 3*time.Second {
			t.Errorf("the others waited for %s", took)
		}
		f.ends(stuck, actors.SlowConsumer)
	})
}

// relabelled is a broker whose deliveries with the routing key "alien" come from another exchange,
// as those of an exchange do that is bound to the one that the queue is bound to.
func relabelled(o *actors.Options) {
	routed(o)
	o.Dialer = amqp.Wrap(o.Dialer, amqp.Hooks{Deliver: func(d *amqp.Delivery) bool {
		switch d.RoutingKey {
		case "alien":
			d.Exchange = "exchange/tc/v1/alien"
		case "direct":
			d.Exchange = ""
		}
		return true
	}})
}

// A message that proves the operator's list wrong is said loudly, and no stream stays deaf: those of
// the queue are told, and come back to queues of their own, which the broker fills as it should.
func TestAMessageOfAnUnknownExchangeEndsTheRouting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		f := openOn(t, amqp.NewMemory(), func(o *actors.Options) {
			relabelled(o)
			o.Logger = slog.New(slog.NewTextHandler(&log, nil))
		})
		f.declare(status)
		streams := []*actors.Stream{f.asks(task + " #"), f.asks(task+" a", status+" #"), f.asks(task + " nothing")}
		f.to(task, "alien", "1")
		for _, s := range streams {
			if err := f.ends(s, actors.InternalError); !err.Code.Retryable() || err.Together != 3 {
				t.Errorf("told %+v", err)
			}
		}
		if s := f.Stats(); s.Misrouted != 1 || s.Failures != 0 {
			t.Errorf("counted %d times, %d failures", s.Misrouted, s.Failures)
		}
		if n := strings.Count(log.String(), "level=ERROR"); n != 1 || !strings.Contains(log.String(), "from=exchange/tc/v1/alien") ||
			!strings.Contains(log.String(), status) {
			t.Errorf("the log has %s", log.String())
		}

		synctest.Wait()
		one, two := f.asks(task+" #"), f.asks(status+" #")
		f.declare("exchange/tc/third") // not in use at the time: nothing is known against it
		third := f.asks("exchange/tc/third #")
		if n := len(f.broker.Queues()); n != 3 || f.Stats().Routed != 1 {
			t.Errorf("%d queues, %d streams are routed", n, f.Stats().Routed)
		}
		f.to(task, "alien", "1")
		f.to(status, "x", "2")
		f.to("exchange/tc/third", "y", "3")
		f.reads(one, "1")
		f.reads(two, "2")
		f.reads(third, "3")
	})
}

// What is sent to the queue itself, by the exchange without a name, proves nothing about others.
func TestAMessageToTheRoutedQueueItselfIsIgnored(t *testing.T) {
	bubble(t, relabelled, func(f *fixture) {
		s := f.ready(task, "#")
		f.to(task, "direct", "1")
		synctest.Wait()
		f.to(task, "b", "2")
		f.reads(s, "2")
		if n := f.Stats().Misrouted; n != 0 {
			t.Errorf("counted %d times", n)
		}
	})
}

// A lost link costs one queue and one bind per exchange, however many streams come back.
func TestRoutedStreamsAreReadyAgainAfterALostLink(t *testing.T) {
	bubble(t, routed, func(f *fixture) {
		for round := range 3 {
			var streams []*actors.Stream
			for i := range 200 {
				streams = append(streams, f.connect(task, fmt.Sprintf("a.%d", i)))
			}
			for _, s := range streams {
				f.awaitReady(s)
			}
			f.to(task, "a.17", "1")
			f.reads(streams[17], "1")
			f.broker.DropLinks()
			for _, s := range streams {
				if err := f.ends(s, actors.BrokerLost); err.Together != 200 {
					t.Fatalf("%d streams end together", err.Together)
				}
			}
			if n := f.record.count("bind"); n != round+1 {
				t.Fatalf("%d binds", n)
			}
			pass(10 * time.Second)
		}
	})
}

// A pattern of exchanges that is none is named at the start.
func TestAPatternOfRoutedExchangesThatIsNoneIsNamed(t *testing.T) {
	o := actors.Options{Dialer: amqp.NewMemory(), RoutedExchanges: []string{"exchange/["}}
	if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "RoutedExchanges") {
		t.Error(err)
	}
}

// Exchanges are bound on one channel beside the queue's, which is opened anew only after a refusal: a
// broker may answer the opening of one too many by ending the link.
func TestRoutedExchangesTakeOneMoreChannel(t *testing.T) {
	bubble(t, routed, func(f *fixture) {
		for i := range 5 {
			exchange := fmt.Sprint("exchange/tc/", i)
			f.declare(exchange)
			f.ready(exchange, "#")
		}
		pass(5 * time.Minute) // the bindings are repeated
		if n := f.record.count("channel"); n != 2 || f.record.count("bind") < 15 {
			t.Errorf("%d channels for %d binds", n, f.record.count("bind"))
		}
		f.ends(f.connect("exchange/none", "#"), actors.BindingRefused)
		f.ready(task, "#")
		if n := f.record.count("channel"); n != 3 {
			t.Errorf("%d channels after a refusal", n)
		}
	})
}
