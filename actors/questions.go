package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// question is a process of the actor system that takes one answer. protoactor's own, the Future,
// has a data race where it is stopped while it is answered (its issue 1145).
type question struct {
	answer chan any // one is enough: further answers are dropped
}

// SendUserMessage takes the answer.
func (q *question) SendUserMessage(_ *actor.PID, message any) {
	_, answer, _ := actor.UnwrapEnvelope(message)
	select {
	case q.answer <- answer:
	default:
	}
}

// SendSystemMessage does nothing: a question has no life of its own.
func (q *question) SendSystemMessage(*actor.PID, any) {}

// Stop does nothing.
func (q *question) Stop(*actor.PID) {}

// askTimeout bounds a question to an actor: a local message each way.
const askTimeout = 5 * time.Second

var (
	errNoAnswer  = errors.New("no answer")
	errTreeEnded = errors.New("the tree has ended")
)

// ask puts a question to an actor and returns its answer. It fails with errTreeEnded where there is
// no such actor, or the tree ends before it answers: then the question stays in a mailbox that is
// not read any more. It fails with errNoAnswer after the timeout, and with the error of ctx.
func (c *core) ask(ctx context.Context, to *actor.PID, message any, timeout time.Duration) (any, error) {
	q := &question{answer: make(chan any, 1)}
	pid, _ := c.actors.ProcessRegistry.Add(q, "question"+c.actors.ProcessRegistry.NextId())
	defer c.actors.ProcessRegistry.Remove(pid)
	patience := time.NewTimer(timeout)
	defer patience.Stop()
	c.rootContext.RequestWithCustomSender(to, message, pid)
	select {
	case answer := <-q.answer:
		return answered(answer)
	case <-c.done:
	case <-patience.C:
		return nil, errNoAnswer
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case answer := <-q.answer: // a question that was answered keeps its answer
		return answered(answer)
	default:
		return nil, errTreeEnded
	}
}

func answered(answer any) (any, error) {
	if _, dead := answer.(*actor.DeadLetterResponse); dead {
		return nil, errTreeEnded
	}
	return answer, nil
}
