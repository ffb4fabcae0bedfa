package actors_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// An exchange that is deleted takes the bindings with it and no consumer hears of it. Once it is
// there again, its streams receive again within a minute and a half.
func TestAnExchangeThatIsMadeAgainIsHeardAgain(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.ready(task, "a.#")
		f.remakeExchange()
		f.publish("a.b", 1)
		if n := f.Stats().Messages; n != 0 {
			f.t.Fatalf("%d messages came by a binding that is gone", n)
		}
		pass(90 * time.Second)
		f.publish("a.b", 3)
		f.messages(s, 3)
		pass(2 * time.Minute)
		if n := f.broker.Bindings(); n != 1 {
			f.t.Fatalf("%d bindings after they were repeated", n)
		}
	})
}

// inPeriods waits for what comes with the time at which bindings are repeated.
func (f *fixture) inPeriods(what string, is func() bool) {
	f.t.Helper()
	for range 120 {
		if is() {
			return
		}
		pass(time.Second)
	}
	f.t.Fatalf("not in time: %s", what)
}

func (f *fixture) remakeExchange() {
	f.t.Helper()
	if err := f.pub.Delete(bounded(f.t), task); err != nil {
		f.t.Fatal(err)
	}
	f.declare(task)
}

// Where it stays away the stream ends, and its neighbours on other exchanges go on.
func TestAnExchangeThatStaysAwayEndsItsStreams(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		f.declare("exchange/tc/other")
		s, other := f.ready(task, "#"), f.ready("exchange/tc/other", "#")
		if err := f.pub.Delete(bounded(f.t), task); err != nil {
			f.t.Fatal(err)
		}
		if err := f.ends(s, actors.BindingRefused); !strings.Contains(err.Reason, task) {
			f.t.Fatalf("the reason names no exchange: %s", err.Reason)
		}
		f.publishTo(bounded(f.t), "exchange/tc/other", "a", amqp.Message{Body: []byte(`{"n":0}`)})
		f.messages(other, 1)
		other.Close()
		f.clean()
	})
}

// Many streams repeat their bindings at the rate that all together may have, whatever their period
// is.
func TestBindingsAreRepeatedAtABoundedRate(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.RebindEvery = time.Second }, func(f *fixture) {
		const streams, seconds = 300, 10
		for range streams {
			f.connect(task, "#")
		}
		pass(time.Second)
		before := f.record.count("bind")
		pass(seconds * time.Second)
		if n := f.record.count("bind") - before; n < 100*(seconds-1) || n > 100*(seconds+1) {
			f.t.Fatalf("%d bindings were repeated in %d seconds", n, seconds)
		}
	})
}

// A broker that does not answer for a while as a binding is repeated (a node of its cluster is
// frozen) holds up one stream of the link; that one loses nothing, and the others do not notice.
func TestABindThatIsRepeatedAndAnsweredLateHoldsUpOneStream(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		streams := []*actors.Stream{f.ready(task, "#"), f.ready(task, "#"), f.ready(task, "#")}
		answer := f.silenceUntil("bind", task)
		f.inPeriods("a binding is repeated", func() bool { return f.record.under("bind") > 0 })
		pass(5 * time.Second)
		if n := f.record.under("bind"); n != 1 {
			f.t.Fatalf("%d bindings are repeated", n)
		}
		f.publish("a", 3)
		pass(time.Second)
		served := 0
		for _, state := range f.Snapshot().Streams {
			if state.Messages == 3 {
				served++
			}
		}
		if served != 2 {
			f.t.Fatalf("%d of 2 streams have the messages", served)
		}
		answer()
		for _, s := range streams {
			f.messages(s, 3)
		}
	})
}

// Where the answer never comes it is as with a first bind: the streams that the binding is for are
// told, where it had a channel with a queue the link takes no newcomer, and the others are served:
// their bindings are repeated, too.
func TestABindThatIsRepeatedAndNeverAnsweredEndsItsStreamAlone(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		f.declare(remote)
		neighbours := []*actors.Stream{f.ready(task, "#"), f.ready(task, "a")}
		deaf := f.ready(remote, "#")
		end := f.silence("bind", remote)
		f.inPeriods("the bindings are repeated", func() bool { return f.record.under("bind") == 1 })
		start := time.Now()
		f.ends(deaf, actors.BrokerLost)
		if took := time.Since(start); took > 12*time.Second {
			f.t.Errorf("told after %s", took)
		}
		s, retired := f.Stats(), int64(1)
		if f.routed {
			retired = 0
		}
		if s.LinksLost != 0 || s.LinksRetired != retired {
			f.t.Errorf("%d links lost, %d retired", s.LinksLost, s.LinksRetired)
		}
		f.remakeExchange()
		pass(90 * time.Second)
		neighbours = append(neighbours, f.ready(task, "#"))
		f.publish("a", 2)
		for _, s := range neighbours {
			f.messages(s, 2)
			s.Close()
		}
		pass(5 * time.Second)
		end()
		synctest.Wait()
		f.record.before(func(call) error { return nil })
		f.clean()
		f.works()
	})
}
