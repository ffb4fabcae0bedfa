package actors

import (
	"errors"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// lease is the right to one channel of a link, from asking for it to the channel's close. It is the
// owner's word to the broker actor, which keeps the account of leases by their owners. It is a
// value, and may be used by a goroutine.
//
//	request ──▶ leased ──▶ progressed … ──▶ opened ──▶ calling, progressed … ──▶ release
//	                   └─▶ exhausted, denied ─────────────────────────────────▶ release
//
// A lease ends with its channel, not with its owner: a reader that leaves while its queue is being
// declared still keeps the broker busy.
type lease struct {
	root          *actor.RootContext
	broker, owner *actor.PID
	node          *node     // the owner's
	link          amqp.Link // nil until it was granted
	herd          *herd     // the link's
	upkeep        *upkeep   // the link's
}

// on returns the lease as it was granted.
func (l lease) on(granted leased) lease {
	l.link, l.herd, l.upkeep = granted.link, granted.herd, granted.upkeep
	return l
}

func (l lease) say(message any) { l.root.RequestWithCustomSender(l.broker, message, l.owner) }

// request asks for the lease, to bind these, and with a second channel where beside is true: the owner
// receives leased or refused.
func (l lease) request(bindings []amqp.Binding, beside bool) {
	l.say(requestLease{bindings: bindings, beside: beside})
}

// progressed reports that the link has answered while the channel is being opened.
func (l lease) progressed() { l.say(progressed{}) }

// calling reports that a call is under way on the open channel, until progressed reports that it
// was answered.
func (l lease) calling() { l.say(calling{}) }

// denied reports that the broker does not let this service make or use its queue.
func (l lease) denied(err *Error) { l.say(denied{err: err}) }

// noRoom reports that the broker has no room for the queue.
func (l lease) noRoom() { l.say(noRoom{}) }

// exhausted reports that the link had no room for the channel.
func (l lease) exhausted() { l.say(exhausted{}) }

// opened reports that the channel is consuming.
func (l lease) opened() { l.say(opened{node: l.node}) }

// dropped ends the owner's streams: the broker has dropped so many messages of their queue.
func (l lease) dropped(n int) { l.root.Send(l.owner, finish{err: droppedFailure(n)}) }

// release reports that the channel is closed.
func (l lease) release() {
	l.herd.leave(l.node)
	l.say(release{})
}

// withdraw reports that the lease, which was not used, is no longer wanted.
func (l lease) withdraw() { l.say(release{unused: true}) }

// join makes the owner one of those that end with the link.
func (l lease) join() { l.herd.join(l.node) }

// failure returns the error that ends the owner; where the link is lost, it counts those that end
// with it. It must be called before release.
func (l lease) failure(err error) error {
	var told *Error
	if amqp.KindOf(err) == amqp.LinkLost && errors.As(err, &told) {
		return told.among(l.herd.endTogether())
	}
	return err
}
