package actors

import (
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// timers are those of one life of an actor. A PID outlives a restart, and so do the messages in its
// mailbox: what a timer of an earlier life has sent is dropped. The actor holds them by value,
// reads its messages through event, and calls stop in Restarting, Stopping and Stopped. Only the
// actor's own turns use them.
type timers struct {
	pending []*timer
}

// timer is one of them, until it is stopped or its event is read.
type timer struct{ *time.Timer }

// after makes the actor receive event once d has passed, unless the timer is stopped before.
func (t *timers) after(ctx actor.Context, d time.Duration, event any) *timer {
	root, self, one := ctx.ActorSystem().Root, ctx.Self(), &timer{}
	t.pending = append(t.pending, one)
	one.Timer = time.AfterFunc(d, func() { root.Send(self, elapsed{of: t, timer: one, event: event}) })
	return one
}

// event returns the event of a timer's message; nil where the timer was stopped, or is of another
// life; and any other message as it is.
func (t *timers) event(message any) any {
	e, ok := message.(elapsed)
	switch {
	case !ok:
		return message
	case e.of != t || !t.remove(e.timer):
		return nil
	}
	return e.event
}

// cancel stops one timer; nil is ignored. Its event is not read any more.
func (t *timers) cancel(one *timer) {
	if one != nil && t.remove(one) {
		one.Stop()
	}
}

// stop stops all timers.
func (t *timers) stop() {
	for _, one := range t.pending {
		one.Stop()
	}
	t.pending = nil
}

func (t *timers) remove(one *timer) bool {
	i := slices.Index(t.pending, one)
	if i < 0 {
		return false
	}
	last := len(t.pending) - 1
	t.pending[i] = t.pending[last]
	t.pending[last] = nil
	t.pending = t.pending[:last]
	return true
}
