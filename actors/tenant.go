package actors

import (
	"github.com/asynkron/protoactor-go/actor"
)

// tenant speaks to the broker actor about a channel, in the name of the actor
// that acquired it. Whoever has it may be a goroutine.
//
// The lease ends with the channel, not with the actor: a reader that leaves
// while its queue is being declared still keeps the broker busy.
type tenant struct {
	root           *actor.RootContext
	broker, holder *actor.PID
}

func (t tenant) say(message any) { t.root.RequestWithCustomSender(t.broker, message, t.holder) }

// progressed: the broker has answered.
func (t tenant) progressed() { t.say(progressed{}) }

// exhausted: the link had no room for the channel.
func (t tenant) exhausted() { t.say(exhausted{}) }

// opened: the channel is consuming.
func (t tenant) opened() { t.say(opened{}) }

// release: the channel is closed, or no longer waited for.
func (t tenant) release() { t.say(release{}) }
