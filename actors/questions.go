package actors

import (
	"context"
	"errors"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// askTimeout bounds a question to an actor: a local message each way.
const askTimeout = 5 * time.Second

var (
	errNoAnswer  = errors.New("no answer")
	errTreeEnded = errors.New("the tree has ended")
)

// ask puts a question to an actor and returns its answer. It fails with errTreeEnded where the tree
// has ended, or ends before it answers: then the question stays in a mailbox that is not read any
// more. It fails with errNoAnswer after the timeout, and with the error of ctx.
//
// The answer comes over a channel. With an entry of its own in the actor system's registry, as a
// Future has, each question makes the registry's maps grow: 400 bytes for each idle stream.
func (c *core) ask(ctx context.Context, to *actor.PID, message any, timeout time.Duration) (any, error) {
	q := asked{question: message, answers: make(chan any, 1)}
	patience := time.NewTimer(timeout)
	defer patience.Stop()
	c.rootContext.Send(to, q)
	select {
	case answer := <-q.answers:
		return answer, nil
	case <-c.done:
	case <-patience.C:
		return nil, errNoAnswer
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	select {
	case answer := <-q.answers: // a question that was answered keeps its answer
		return answer, nil
	default:
		return nil, errTreeEnded
	}
}

// answer takes the answer; further ones are dropped.
func (q asked) answer(message any) {
	select {
	case q.answers <- message:
	default:
	}
}

// question returns what is asked by a message that is a question, and any other message as it is.
func question(message any) any {
	if q, ok := message.(asked); ok {
		return q.question
	}
	return message
}

// answer answers the message that an actor handles, where that is a question.
func answer(ctx actor.Context, message any) {
	if q, ok := ctx.Message().(asked); ok {
		q.answer(message)
	}
}
