package actors

import (
	"context"
	"errors"
	"runtime"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// failing dials nothing, and counts.
type failing struct{ dials *atomic.Int64 }

func (f failing) Dial(context.Context) (amqp.Link, error) {
	f.dials.Add(1)
	return nil, errors.New("refused")
}

// Each failure of the broker actor while the broker is away used to leave one more chain of dials.
// A restart is no reason to dial sooner, nor more often.
func TestFailuresOfTheBrokerActorLeaveOneChainOfDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var dials atomic.Int64
		s, err := Open(Options{Dialer: failing{&dials}, Chaos: true})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		elapse(10 * time.Minute)
		alone := dials.Swap(0)
		var atOnce int64
		for range 20 {
			before := dials.Load()
			if err := s.Crash(RoleBroker, ""); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			atOnce += dials.Load() - before
			elapse(5 * time.Second) // more often, and the tree would give it up
		}
		if atOnce > 0 {
			t.Errorf("%d dials because of a failure", atOnce)
		}
		dials.Store(0)
		elapse(10 * time.Minute)
		if n := dials.Load(); n > 2*alone || n < alone/2 {
			t.Fatalf("%d dials in ten minutes, %d before the failures", n, alone)
		}
	})
}

// connections that fail during a drain are restarted once for that failure, and the drain ends.
func TestAFailureDuringADrainCostsOneRestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Options{Dialer: amqp.NewMemory(), Chaos: true})
		if err != nil {
			t.Fatal(err)
		}
		for range 50 {
			if _, err := s.Connect(t.Context(), Request{Bindings: []amqp.Binding{{Exchange: "amq.topic", Pattern: "#"}}}); err != nil {
				t.Fatal(err)
			}
		}
		drained := make(chan error, 1)
		go func() { drained <- s.Drain(t.Context(), 10*time.Second) }()
		elapse(3 * time.Second)
		if err := s.Crash(RoleConnections, ""); err != nil {
			t.Fatal(err)
		}
		elapse(20 * time.Second)
		if err := <-drained; err != nil {
			t.Error(err)
		}
		if n := s.Stats().Restarts; n != 1 {
			t.Errorf("%d restarts for one failure", n)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A program that opens and closes many Systems keeps none of them: no timer holds what is closed.
func TestAClosedSystemIsNotHeld(t *testing.T) {
	s, err := Open(Options{Dialer: amqp.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	stream, err := s.Connect(t.Context(), Request{Bindings: []amqp.Binding{{Exchange: "amq.topic", Pattern: "#"}}})
	if err != nil {
		t.Fatal(err)
	}
	stream.Close()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	freed := make(chan struct{})
	runtime.AddCleanup(s.core, func(freed chan struct{}) { close(freed) }, freed)
	s, stream = nil, nil
	for start := time.Now(); ; runtime.GC() {
		select {
		case <-freed:
			return
		case <-time.After(time.Millisecond):
		}
		if time.Since(start) > time.Second { // a timer of two seconds has held it
			t.Fatal("it is held")
		}
	}
}

// What a timer of an earlier life has sent is in the mailbox of the next: it is dropped there.
func TestAnEventOfAnEarlierLifeIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		system := newActorSystem(Options{}.withDefaults().Logger)
		defer system.Shutdown()
		var first, second timers
		var mine, heard []any
		pid := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				first.after(ctx, time.Second, "first")
				second.after(ctx, 2*time.Second, "second")
				second.cancel(second.after(ctx, time.Second, "cancelled"))
				second.cancel(nil)
			case elapsed:
				heard = append(heard, first.event(ctx.Message()))
				mine = append(mine, second.event(ctx.Message()))
			}
		}))
		elapse(time.Minute)
		if len(heard) != 2 || heard[0] != "first" || heard[1] != nil || mine[0] != nil || mine[1] != "second" {
			t.Errorf("one life reads %v, the other %v", heard, mine)
		}
		if len(first.pending)+len(second.pending) != 0 {
			t.Error("timers that have fired are kept")
		}
		if err := system.Root.StopFuture(pid).Wait(); err != nil {
			t.Error(err)
		}
		elapse(time.Second)
	})
}
