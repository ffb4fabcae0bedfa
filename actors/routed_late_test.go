package actors_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// One bind of the routed queue is never answered. The stream that waits for it is told, and the next
// one that wants the exchange has it bound anew: it is ready and stays so, whatever becomes of the
// first bind. The other streams miss nothing.
func TestARoutedExchangeWhoseBindIsLostIsBoundForTheNextStream(t *testing.T) {
	for name, late := range map[string]error{
		"answered late": nil,
		"failed late":   &amqp.Error{Kind: amqp.ChannelLost, Op: "bind", Subject: remote},
	} {
		for _, scouts := range []bool{false, true} {
			t.Run(map[bool]string{false: "", true: "with scouts, "}[scouts]+name, func(t *testing.T) {
				bubble(t, func(o *actors.Options) { routed(o); o.NoScouts = !scouts }, func(f *fixture) {
					f.declare(remote)
					living := f.ready(task, "#")
					answer, lost := make(chan struct{}), int64(1)
					if scouts {
						lost = 2 // the first is a scout's
					}
					var binds atomic.Int64
					f.record.before(func(c call) error {
						if c.op == "bind" && c.subject == remote && binds.Add(1) == lost {
							<-answer
							return late
						}
						return nil
					})
					f.ends(f.connect(remote, "#"), actors.BrokerUnavailable)
					next := f.ready(remote, "#")
					f.to(remote, "a", "1")
					f.reads(next, "1")
					close(answer)
					pass(5 * time.Minute) // its binding is repeated
					f.ready(remote, "b").Close()
					f.to(remote, "a", "2")
					f.reads(next, "2")
					f.to(task, "a", "3")
					f.reads(living, "3")
					if s := f.Stats(); s.Misrouted != 0 || s.LinksLost != 0 {
						t.Errorf("%d misrouted, %d links lost", s.Misrouted, s.LinksLost)
					}
				})
			})
		}
	}
}

// Where no bind to an exchange is answered, those who want it are told in bounded time however often
// they come, and the channels that wait for an answer do not pile up. When the broker answers again
// the exchange is there for the next.
func TestBindsWithoutAnAnswerDoNotPileUp(t *testing.T) {
	bubble(t, routed, func(f *fixture) {
		f.declare(remote)
		living := f.ready(task, "#")
		end := f.silenceUntil("bind", remote)
		for range 30 {
			start := time.Now()
			f.ends(f.connect(remote, "#"), actors.BrokerUnavailable)
			if took := time.Since(start); took > 11*time.Second {
				t.Fatalf("told after %s", took)
			}
		}
		if under, channels := f.record.under("bind"), f.broker.Channels(); under > 3 || channels > 1+3 {
			t.Errorf("%d binds wait, %d channels are open", under, channels)
		}
		end()
		s := f.ready(remote, "#")
		f.to(remote, "a", "1")
		f.reads(s, "1")
		f.to(task, "a", "2")
		f.reads(living, "2")
		pass(time.Second)
		if n := f.broker.Channels(); n != 2 {
			t.Errorf("%d channels are left", n)
		}
	})
}

// While an exchange is being tried the broker may fall silent, its links may go, and the actor of the
// links may fail: then nothing answers the routed feed. Every stream is told, and the exchange is
// there for those that come back.
func TestARoutedExchangeIsTriedAgainWhereItsTrialIsLost(t *testing.T) {
	for name, harm := range map[string]func(f *fixture){
		"a silent broker": func(f *fixture) { f.broker.Freeze() },
		"lost links":      func(f *fixture) { f.broker.DropLinks() },
		"the links' actor": func(f *fixture) {
			f.crash(actors.RoleBroker, "")
		},
		"nothing else": func(*fixture) {},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(o *actors.Options) { routed(o); o.NoScouts = false }, func(f *fixture) {
				f.declare(remote)
				f.ready(task, "#")
				end := f.silence("bind", remote)
				first := f.connect(remote, "#")
				synctest.Wait()
				if n := f.record.under("bind"); n != 1 {
					t.Fatalf("%d trials are under way", n)
				}
				harm(f)
				f.end(first)
				f.broker.Thaw()
				end()
				f.record.before(func(call) error { return nil })
				pass(15 * time.Second)
				s := f.ready(remote, "#")
				f.to(remote, "a", "1")
				f.reads(s, "1")
				f.works()
			})
		})
	}
}
