package actors

import (
	"errors"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// questions are those that the door has put to an actor and that have no answer yet.
type questions struct {
	open sync.Map // of *actor.Future
}

// askTimeout bounds a question to an actor: a local message each way.
const askTimeout = 5 * time.Second

// ask puts a question to an actor and returns nil for a yes, else an *Error. Where the actor has
// ended, or ends before it answers, that is errDraining.
func (q *questions) ask(actors *actor.ActorSystem, to *actor.PID, question any) error {
	future := actor.NewFuture(actors, askTimeout)
	q.open.Store(future, nil)
	defer q.open.Delete(future)
	actors.Root.RequestWithCustomSender(to, question, future.PID())
	answer, err := future.Result()
	switch {
	case errors.Is(err, actor.ErrDeadLetter):
		return errDraining
	case err != nil:
		return &Error{Code: InternalError, Reason: "The service gave no answer", Cause: err}
	case answer == nil:
		return errDraining // called off
	}
	if no, ok := answer.(refused); ok {
		return no.err
	}
	return nil
}

// callOff ends the questions that are under way: they lie in the mailbox of an actor that has ended,
// where they are never read. A question that was answered keeps its answer.
func (q *questions) callOff(root *actor.RootContext) {
	q.open.Range(func(future, _ any) bool {
		root.Stop(future.(*actor.Future).PID())
		return true
	})
}
