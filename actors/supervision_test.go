package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// supervising is a supervisor that notes what is done to its children.
type supervising struct {
	actor.Supervisor
	actor actor.Actor
	done  string
}

func (s *supervising) Actor() actor.Actor            { return s.actor }
func (s *supervising) RestartChildren(...*actor.PID) { s.done = "restarted" }
func (s *supervising) StopChildren(...*actor.PID)    { s.done = "stopped" }

func newTestNode() *node {
	return newRegistry(newCounters(), slog.New(slog.DiscardHandler)).newNode(nil, RoleEvents, "")
}

// A parent that ends has told its children to stop. A restart would bring the
// child back to life, and the parent would wait for its end for ever.
func TestAParentThatEndsRestartsNobody(t *testing.T) {
	system := newActorSystem(slog.New(slog.DiscardHandler))
	defer system.Shutdown()
	for ending, want := range map[bool]string{false: "restarted", true: "stopped"} {
		n := newTestNode()
		n.ending = ending
		parent := &supervising{actor: &root{node: n}}
		restartFew.HandleFailure(system, parent, &actor.PID{Id: "child"}, actor.NewRestartStatistics(), errors.New("planted"), nil)
		if parent.done != want {
			t.Errorf("ending %t: the child is %s", ending, parent.done)
		}
	}
}

// One that fails for good is stopped, so that the failure ends somewhere.
func TestAChildIsRestartedThreeTimesInTenSeconds(t *testing.T) {
	system := newActorSystem(slog.New(slog.DiscardHandler))
	defer system.Shutdown()
	parent, stats := &supervising{actor: &root{node: newTestNode()}}, actor.NewRestartStatistics()
	for i, want := range []string{"restarted", "restarted", "restarted", "stopped"} {
		restartFew.HandleFailure(system, parent, &actor.PID{Id: "child"}, stats, errors.New("planted"), nil)
		if parent.done != want {
			t.Errorf("failure %d: the child is %s", i+1, parent.done)
		}
	}
}

// Below connections nothing is restarted, ever: a second life of a stream could
// only lose messages unsaid.
func TestAStreamsActorsAreStoppedAtTheirFirstFailure(t *testing.T) {
	system := newActorSystem(slog.New(slog.DiscardHandler))
	defer system.Shutdown()
	parent := &supervising{actor: &root{node: newTestNode()}}
	stopAlways.HandleFailure(system, parent, &actor.PID{Id: "child"}, actor.NewRestartStatistics(), errors.New("planted"), nil)
	if parent.done != "stopped" {
		t.Errorf("the child is %s", parent.done)
	}
}

// What a client is told of a failure is the *Error in it, and never the text of
// a defect.
func TestAFailuresVerdictIsItsErrorOrInternalError(t *testing.T) {
	told := &Error{Code: QueueDeleted, Reason: "told"}
	for _, c := range []struct {
		reason any
		code   Code
	}{
		{told, QueueDeleted},
		{fmt.Errorf("wrapped: %w", told), QueueDeleted},
		{errors.New("a defect"), InternalError},
		{"a panic with text", InternalError},
		{nil, InternalError},
	} {
		err := failureOf(c.reason)
		if err.Code != c.code || err.Reason == fmt.Sprint(c.reason) {
			t.Errorf("%v is told as %v", c.reason, err)
		}
		if c.code == InternalError && err.Cause == nil {
			t.Errorf("%v: the log does not learn of it", c.reason)
		}
	}
}

// The question that passed the door just before it was closed.
func TestConnectionsRefuseWhileDraining(t *testing.T) {
	s, err := Open(Options{Dialer: amqp.NewMemory()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Drain(context.Background(), 0); err != nil {
		t.Fatal(err)
	}
	stream := &Stream{id: newID()}
	if err := s.request(admit{stream: stream, bindings: []amqp.Binding{{Exchange: "amq.topic"}}}); CodeOf(err) != Draining {
		t.Fatalf("the late question is answered with %v", err)
	}
	if n := s.Stats().Opened; n != 0 {
		t.Fatalf("%d streams were opened", n)
	}
}

// protoactor restarts an actor that is stopping already, where a failure met
// the stop. The tree must not come back to life: Close would wait in vain.
func TestARestartDoesNotUndoAStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opened := make(chan *System, 1) // one: the actor must not wait for us
		system := newActorSystem(slog.New(slog.DiscardHandler))
		defer system.Shutdown()
		var s *System
		host := system.Root.Spawn(actor.PropsFromFunc(func(ctx actor.Context) {
			switch ctx.Message().(type) {
			case *actor.Started:
				var err error
				if s, err = Open(Options{Dialer: amqp.NewMemory(), Parent: ctx}); err != nil {
					t.Error(err)
				}
				opened <- s
			case string:
				ctx.Stop(s.root)
				ctx.(actor.Supervisor).RestartChildren(s.root)
			}
		}))
		<-opened
		synctest.Wait()
		system.Root.Send(host, "stop and restart")
		select {
		case <-s.Done():
		case <-time.After(time.Minute):
			t.Error("the tree goes on")
		}
		if err := system.Root.StopFuture(host).Wait(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		elapse(time.Second) // the actor system counts its dead letters for a while
	})
}

// A question in the mailbox of an actor that ends would never be answered.
func TestAQuestionIsCalledOffWhenTheTreeEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Options{Dialer: amqp.NewMemory()})
		if err != nil {
			t.Fatal(err)
		}
		var asking sync.WaitGroup
		asking.Go(func() {
			start := time.Now()
			if err := s.request(late{}); CodeOf(err) != Draining { // no actor answers this question
				t.Errorf("the answer is %v", err)
			}
			if took := time.Since(start); took > 0 {
				t.Errorf("the answer came after %s", took)
			}
		})
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		asking.Wait()
		elapse(time.Second)
	})
}

// newTestCore returns a core with the default options and without actors.
func newTestCore() *core {
	c := &core{count: newCounters()}
	c.policy.Store(&Policy{Limits: DefaultLimits()})
	return c
}

// The registry of an actor system, which may be a host's, has maps that grow with what was ever
// entered at a time and removed again: questions, one for each stream, are not.
func TestAQuestionIsNotEnteredIntoTheActorSystem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, err := Open(Options{Dialer: amqp.NewMemory()})
		if err != nil {
			t.Fatal(err)
		}
		defer elapse(time.Second)
		synctest.Wait()
		before := s.processes()
		var asking sync.WaitGroup
		asking.Go(func() { s.request(late{}) }) // no actor answers this question
		synctest.Wait()
		if n := s.processes(); n != before {
			t.Errorf("%d processes in place of %d", n, before)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		asking.Wait()
	})
}

// processes returns how many the actor system knows.
func (s *System) processes() (n int) {
	for _, shard := range s.actors.ProcessRegistry.LocalPIDs.LocalPIDs {
		n += shard.Count()
	}
	return n
}
