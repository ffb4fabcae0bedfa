package actors

import (
	"errors"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// What the broker holds so that it is heard what queues drop, see deadletters.go: it is made, tried,
// and removed where that fails in the middle.

// drops are the names of what one link, or one scout, makes.
type drops struct {
	exchange string // goes with its last binding; where it was never bound, it stays for ever
	queue    string // the dead letters' own
	trial    string // a throw-away queue, as a stream's, that drops to them
}

func newDrops(namespace string) drops {
	exchange, queue := amqp.DeadLetterNames(namespace)
	return drops{exchange: exchange, queue: queue, trial: amqp.QueueName(namespace)}
}

var errNoDeadLetters = errors.New("the broker's port cannot tell what queues drop")

// declare makes exchange and queue, and tries whether a stream's queue may drop to them.
func (d drops) declare(channel amqp.Channel) error {
	letters, can := channel.(amqp.DeadLetters)
	if !can {
		return errNoDeadLetters
	}
	if err := letters.DeclareDeadLetters(d.exchange, d.queue); err != nil {
		return err
	}
	if err := channel.Declare(d.trial, amqp.QueueLimits{MaxLength: 1, DeadLetters: d.exchange}); err != nil {
		return err
	}
	return channel.Delete(d.trial)
}

// delete removes what declare has left behind.
func (d drops) delete(channel amqp.Channel) error {
	if letters, can := channel.(amqp.DeadLetters); can {
		if err := channel.Delete(d.trial); err != nil {
			return err
		}
		return letters.DeleteDeadLetters(d.exchange, d.queue)
	}
	return nil
}

// remove is delete on another channel of the link than the one that declare has failed on. The link's
// end takes the queues with it, but not the exchange.
func (d drops) remove(link amqp.Link, opener *channelOpener, left *leftovers) {
	if err := opener.remove(link, d.delete); err != nil {
		left.add(d.exchange, err)
	}
}
