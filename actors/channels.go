package actors

import (
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Every channel is opened here, in one of three ways, so that the pool's account holds whatever is
// done beside the streams. A broker may answer the opening of one too many by ending its link
// (channellimit.go), with every stream on it.

// openChannel opens a channel that was granted: by a lease, as a link's spare, as one of a feed or of
// an errand (pool_errands.go). On a link without streams, a scout's or a feeder's, it is the one that
// the account holds for it.
func openChannel(link amqp.Link) (amqp.Channel, error) { return link.Channel() }

// channelOpener opens channels in the place of others.
type channelOpener struct {
	limited atomic.Bool // the broker has refused a channel
}

// reopen opens a channel in the place of one that was granted and is closed, by the broker
// after a refusal or by its owner. It waits first where the broker is known to have a limit: the
// broker counts a channel for a moment longer than it is open.
func (o *channelOpener) reopen(link amqp.Link) (amqp.Channel, error) {
	if o.limited.Load() {
		pauseOn(link, countingRest, nil)
	}
	return openChannel(link)
}

const (
	// removeTries is how often remove tries, on a channel each.
	removeTries = 5
	// removePause is half the time between its first two tries. It doubles with each.
	removePause = 50 * time.Millisecond
)

// remove has do delete what a channel has left on its link, on another in the place of that one, which
// is closed. The broker may close the other, too: then it is done again, at most removeTries times.
// It returns the last try's error, a panic of the port included.
func (o *channelOpener) remove(link amqp.Link, do func(amqp.Channel) error) (err error) {
	for try := range removeTries {
		if try > 0 {
			pauseOn(link, removePause<<try, nil)
		}
		err = guarded("delete", func() error { return onChannel(o.reopen, link, do) })
		if amqp.KindOf(err) != amqp.ChannelLost {
			break
		}
	}
	return err
}

// onChannel opens a channel on a link, runs do with it and closes it. It returns the error of either.
func onChannel(open func(amqp.Link) (amqp.Channel, error), link amqp.Link, do func(amqp.Channel) error) error {
	channel, err := open(link)
	if err != nil {
		return err
	}
	defer channel.Close()
	return do(channel)
}

// countingRest is the time in which a broker forgets a channel that is closed, and those of a link
// that has ended. RabbitMQ counts the channels of a user beside opening and closing them.
const countingRest = 250 * time.Millisecond
