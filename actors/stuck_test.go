package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// silence makes calls of an op on a subject hang until the link of their channel is closed, which
// the recorder shows, or until the returned function is called.
func (f *fixture) silence(op, subject string) (end func()) {
	silent := make(chan struct{})
	f.record.before(func(c call) error {
		if c.op == op && (subject == "" || c.subject == subject) {
			<-silent
			return &amqp.Error{Kind: amqp.LinkLost, Op: op}
		}
		return nil
	})
	return func() { close(silent) }
}

const remote = "exchange/tc/remote"

// One call is never answered, as when a peer of the broker's cluster is frozen. The stream that
// waits for it is told in bounded time; the streams that share its link miss nothing; newcomers get
// another link; and the link is closed with its last stream.
func TestALinkOnWhichOneCallHangsIsRetiredAndNotCut(t *testing.T) {
	eachOf(binding, t, nil, func(f *fixture) {
		neighbours := []*actors.Stream{f.ready(task, "#"), f.ready(task, "a")}
		f.declare(remote)
		end := f.silence("bind", remote)
		start := time.Now()
		waiting := f.connect(remote, "#")
		err := f.ends(waiting, actors.BrokerUnavailable)
		if took := time.Since(start); took > 11*time.Second {
			f.t.Fatalf("told after %s", took)
		}
		if !err.Code.Retryable() {
			f.t.Fatal("it may work later")
		}
		f.publish("a", 2)
		for _, s := range neighbours {
			f.messages(s, 2)
		}
		f.ready(task, "newcomer.#")
		if n := f.broker.Links(); n != 2 {
			f.t.Fatalf("%d links, want the retired one and one for the newcomer", n)
		}
		if s := f.Stats(); s.LinksLost != 0 || s.LinksRetired != 1 {
			f.t.Fatalf("%d links lost, %d retired", s.LinksLost, s.LinksRetired)
		}
		states := f.Snapshot().Links
		if !states[0].Retired || states[0].Stuck != 1 || states[1].Retired {
			f.t.Fatalf("an operator sees %+v", states)
		}
		for _, s := range neighbours {
			s.Close()
		}
		pass(5 * time.Second)
		if n := f.broker.Links(); n != 1 {
			f.t.Fatalf("%d links are left, want the newcomer's", n)
		}
		end() // as the close of its link does
		f.record.before(func(call) error { return nil })
		f.works()
	})
}

// A link that does not answer at all is lost for its other streams too.
func TestALinkThatAnswersNothingIsClosed(t *testing.T) {
	eachOf(binding, t, nil, func(f *fixture) {
		other := f.ready(task, "#")
		f.broker.Freeze()
		f.ends(f.connect(task, "a"), actors.BrokerUnavailable)
		f.ends(other, actors.BrokerLost)
		f.broker.Thaw()
		pass(10 * time.Second)
		f.works()
	})
}

// A stream that is ready can wait for an answer, too: the worker asks how long its queue is when
// the reader is slow. It would be deaf without a word.
func TestAReadyStreamWhoseCallHangsIsTold(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Prefetch = 1 }, func(f *fixture) {
		other := f.ready(task, "a.#")
		slow := f.ready(task, "#")
		end := f.silence("depth", "")
		f.publish("b", 3) // the second fills the window
		pass(30 * time.Second)
		f.ends(slow, actors.BrokerLost)
		f.publish("a", 1)
		f.messages(other, 1)
		end()
		f.record.before(func(call) error { return nil })
	})
}

// A burst that meets the same silence is told, all of it, and leaves nothing.
func TestACrowdWhoseCallsHangIsTold(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.Declares = 4 }, func(f *fixture) {
		other := f.ready(task, "#")
		f.declare(remote)
		end := f.silence("bind", remote)
		var waiting []*actors.Stream
		for _, key := range []string{"a", "b", "c", "d"} {
			waiting = append(waiting, f.connect(remote, key))
		}
		for _, s := range waiting {
			f.ends(s, actors.BrokerUnavailable)
		}
		f.publish("a", 1)
		f.messages(other, 1)
		other.Close()
		pass(5 * time.Second)
		end()
		synctest.Wait()
		f.record.before(func(call) error { return nil })
		f.clean()
	})
}
