package script

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// A script whose harm does nothing proves nothing, though every claim in it is true:
// it must not pass.
func TestAHarmThatIsNeverSeenIsNoPass(t *testing.T) {
	for name, want := range map[string]struct {
		sign string
		err  error
	}{"done": {sign: "a sign"}, "not done": {err: ErrUnseen}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, seen := &recorder{dir: t.TempDir()}, &endings{}
			r.playOn(t, Params{Brokers: tame{Memory(), want.sign}, Proxy: Local, Observer: seen}, "connect ada exchange/tc/task '#'\nexpect ada ready\nbroker tickle\nleave ada\n")
			if r.failed != (want.err != nil) || !errors.Is(seen.cause, want.err) || len(seen.harms) != 1 || seen.harms[0].Sign != want.sign {
				t.Errorf("failed %t, %v, %+v\n%s", r.failed, seen.cause, seen.harms, r.log.String())
			}
			if !strings.Contains(r.log.String(), "took 0.") {
				t.Errorf("the transcript has no times:\n%s", r.log.String())
			}
		})
	}
}

// tame has brokers with a fault that does nothing, and a sign that is told.
type tame struct {
	Brokers
	sign string
}

func (t tame) For(script string) (Broker, error) {
	b, err := t.Brokers.For(script)
	return tickled{b, t.sign}, err
}

type tickled struct {
	Broker
	sign string
}

func (t tickled) Faults() map[string]Fault {
	return map[string]Fault{"tickle": {
		Happen: func(context.Context) error { return nil },
		Watch: func(context.Context) (faults.Sign, error) {
			return func(context.Context) (string, error) { return t.sign, nil }, nil
		},
	}}
}

// endings keeps how a script ended.
type endings struct {
	blind
	mu    sync.Mutex
	harms []Harm
	cause error
}

func (e *endings) Ended(_ string, harms []Harm, cause error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.harms, e.cause = harms, cause
}

var _ Observer = (*endings)(nil)

// What runs already has a past: a script counts from where it found it.
func TestCountsAreRelativeToTheScriptsBeginning(t *testing.T) {
	proxy, err := Local(mustBroker(t), Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	const twice = "connect ada -retry exchange/tc/task '#'\ncrash connections\nexpect ada ended InternalError\nexpect process 1 restarts\nexpect process 1 InternalError\nexpect tree connections restarts 1\n"
	for range 2 {
		r := &recorder{dir: t.TempDir()}
		r.playOn(t, Params{Brokers: Memory(), Proxy: func(Broker, Settings) (Proxy, error) { return kept{proxy}, nil }}, twice)
		if r.failed {
			t.Fatal(r.log.String())
		}
	}
}

// kept is a proxy that scripts leave running.
type kept struct{ Proxy }

func (kept) Close() error { return nil }

func mustBroker(t *testing.T) Broker {
	t.Helper()
	b, err := Memory().For("x")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	p, err := b.Publisher(ctx)
	if err == nil {
		err = p.Declare(ctx, DefaultExchange, "topic")
	}
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	t.Cleanup(func() { b.Close() })
	return b
}

// The nearest word is meant, as long as it is near.
func TestTheNearestWordIsMeant(t *testing.T) {
	known := []string{"freeze", "kill", "link-cut", "latency"}
	for word, meant := range map[string]string{
		"frezee": "freeze", "freez": "freeze", "linkcut": "link-cut", "kil": "kill", "latancy": "latency", "explode": "", "x": "",
	} {
		if got := Nearest(word, known); got != meant {
			t.Errorf("%s: %q, not %q", word, got, meant)
		}
	}
}
