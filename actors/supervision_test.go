package actors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"testing"

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
	return newTree(newCounters(), slog.New(slog.DiscardHandler)).plan(nil, RoleEvents, "")
}

// A parent that ends has told its children to stop. A restart would bring the
// child back to life, and the parent would wait for its end for ever.
func TestAParentThatEndsRestartsNobody(t *testing.T) {
	system := newActorSystem(slog.New(slog.DiscardHandler))
	defer system.Shutdown()
	for ending, want := range map[bool]string{false: "restarted", true: "stopped"} {
		n := newTestNode()
		n.ending = ending
		parent := &supervising{actor: &events{node: n}}
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
	parent, stats := &supervising{actor: &events{node: newTestNode()}}, actor.NewRestartStatistics()
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
	parent := &supervising{actor: &events{node: newTestNode()}}
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
		err := verdict(c.reason)
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
	if err := s.ask(admit{stream: stream, bindings: []amqp.Binding{{Exchange: "amq.topic"}}}); CodeOf(err) != Draining {
		t.Fatalf("the late question is answered with %v", err)
	}
	if n := s.Stats().Opened; n != 0 {
		t.Fatalf("%d streams were opened", n)
	}
}
