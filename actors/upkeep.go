package actors

import (
	"sync/atomic"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// upkeep is what is done for the queues of one link beside their own channels: their bindings are
// repeated, what they drop is heard of, and what they deliver is counted. It ends with the link.
type upkeep struct {
	rebinder *rebinder
	letters  *deadLetters
	taken    *atomic.Int64 // deliveries, of all links to this address
}

func newUpkeep(c *core, link amqp.Link) *upkeep {
	return &upkeep{
		rebinder: newRebinder(link, &c.work, c.rebinds, c.rebindEvery),
		letters:  newDeadLetters(c, link),
		taken:    c.count.messagesFrom(amqp.Address(link)),
	}
}

// noteDrops notes whether it is known what queues drop (err is nil) or why not, and logs the
// change.
func (c *core) noteDrops(err error) {
	state := dropsSeen
	if err != nil {
		state = dropsUnseen
	}
	if c.drops.Swap(state) != state && err != nil {
		c.log.Warn("messages that the broker drops from a stream's queue cannot be noticed: policies for max-length or message-ttl on these queues lose messages in silence", "error", err)
	}
}

// The states of core.drops; zero: not known yet.
const (
	dropsSeen int32 = iota + 1
	dropsUnseen
)
