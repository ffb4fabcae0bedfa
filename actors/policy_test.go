package actors_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// set replaces the policy.
func (f *fixture) set(p actors.Policy) {
	f.t.Helper()
	if err := f.SetPolicy(p); err != nil {
		f.t.Fatal(err)
	}
}

// An operator changes limits and lists of a running System: newcomers meet the new ones, and no
// stream that is open notices.
func TestPolicyChangesWithoutTouchingAStream(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.Streams = 1 }, func(f *fixture) {
		first := f.admitted("1.2.3.4")
		f.refused("5.6.7.8", actors.AtCapacity)

		f.set(actors.Policy{Limits: actors.Limits{Streams: 3, StreamsPerAddress: 1}})
		f.admitted("5.6.7.8")
		f.refused("1.2.3.4", actors.TooManyStreams)

		f.set(actors.Policy{AllowExchanges: []string{"exchange/other/*"}})
		f.refused("9.9.9.9", actors.ExchangeForbidden)

		f.set(actors.Policy{Limits: actors.Limits{Streams: 1}}) // two are open
		f.refused("9.9.9.9", actors.AtCapacity)
		synctest.Wait()
		if n := f.Health().Streams; n != 2 || first.Ended() != nil {
			f.t.Fatalf("%d streams are open, the first has ended with %v", n, first.Ended())
		}
	})
}

// A limit of connects per second is told to addresses that are known already.
func TestPolicyChangesTheRateOfKnownAddresses(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.ConnectsPerSecond = 100 }, func(f *fixture) {
		f.admitted("1.2.3.4")
		f.set(actors.Policy{Limits: actors.Limits{ConnectsPerSecond: 1}})
		f.admitted("1.2.3.4")
		f.refused("1.2.3.4", actors.TooManyConnects)
		time.Sleep(time.Second)
		f.admitted("1.2.3.4")
		f.set(actors.Policy{})
		f.admitted("1.2.3.4")
		f.admitted("1.2.3.4")
	})
}

// A policy that is wrong changes nothing and is named; one that only counts on defaults has them.
func TestWrongPolicyKeepsTheOldOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := open(t, func(o *actors.Options) { o.Limits.Streams = 1 })
		err := f.SetPolicy(actors.Policy{AllowExchanges: []string{"["}, Limits: actors.Limits{Streams: -1, Prefetch: 70_000}})
		if err == nil || strings.Count(err.Error(), "\n") != 2 {
			t.Errorf("got %v, want three problems", err)
		}
		f.admitted("")
		f.refused("", actors.AtCapacity)
		f.set(actors.Policy{})
		if _, err := f.Connect(t.Context(), actors.Request{Bindings: make([]amqp.Binding, 0)}); !strings.Contains(err.Error(), "at most 100") {
			t.Errorf("got %v", err)
		}
	})
}

// The policy may change at any time, from anywhere.
func TestPolicyChangesWhileStreamsComeAndGo(t *testing.T) {
	f := open(t, nil)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			for n := range 50 {
				if i == 0 {
					f.set(actors.Policy{Limits: actors.Limits{Streams: 10 + n, ConnectsPerSecond: float64(1000 + n)}})
					continue
				}
				if s, err := f.Connect(t.Context(), request(task, "#")); err == nil {
					s.Close()
				}
			}
		})
	}
	all.Wait()
}
