package actors

import (
	"errors"
	"sync/atomic"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// upkeep is what is done for the queues of one link beside their own channels: their bindings are
// repeated, what they drop is heard of, and what they deliver is counted. It ends with the link.
type upkeep struct {
	rebinder *rebinder
	letters  *deadLetters
	errands  errands
	taken    *atomic.Int64 // deliveries, of all links to this address
	raises   chan struct{} // room for the channels whose prefetch is being raised, see worker.adjustPace
}

// newUpkeep returns that of a link. report is told what becomes of the channel that it takes; usable
// is asked before bindings are repeated, see recheck.
func newUpkeep(c *core, link amqp.Link, report func(spare), usable func(amqp.Binding, func(error)), e errands) *upkeep {
	return &upkeep{
		rebinder: newRebinder(link, &c.work, c.count, c.rebinds, c.rebindEvery, usable),
		errands:  e,
		letters:  newDeadLetters(c, link, report),
		taken:    c.count.messagesFrom(amqp.Address(link)),
		raises:   make(chan struct{}, c.limits().Declares),
	}
}

// The states of core.drops: whether queues may name an exchange for what they drop.
const (
	dropsUnknown int32 = iota
	dropsAllowed
	dropsForbidden
)

// allowDrops notes the result of a try to make what dead letters need.
func (c *core) allowDrops(err error) {
	switch {
	case err == nil:
		c.drops.Store(dropsAllowed)
	case errors.Is(err, errNoDeadLetters), amqp.CodeOf(err) == amqp.AccessRefused:
		c.drops.Store(dropsForbidden)
	default:
		c.drops.Store(dropsUnknown)
	}
	c.noteDrops(err)
}

// noteDrops notes whether it is known what queues drop (err is nil) or why not, and logs the
// change.
func (c *core) noteDrops(err error) {
	if errors.Is(err, errNoDeadLetters) {
		return // the host has chosen its broker
	}
	if unseen := err != nil; c.dropsUnseen.Swap(unseen) != unseen && unseen {
		c.log.Warn("messages that the broker drops from a stream's queue cannot be noticed: policies for max-length or message-ttl on these queues lose messages in silence", "error", err)
	}
}
