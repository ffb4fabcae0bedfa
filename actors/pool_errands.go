package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Channels that serve no stream and are open for a moment, or beside a feed's own. The pool counts
// them as it counts those of leases: no stream's link is ended for one of them.
//
//   - an errand: one call on a link with streams that must not be made on a stream's channel. It is
//     granted, or not done
//   - a scout: each has one channel at a time, on a link of its own
//   - a feed that binds beside its queue's channel has a lease for two
//   - a channel that is closed, and that the broker may still count

// beginErrand grants a channel for an errand on a link; it returns granted, or why there is none.
func (p *pool) beginErrand(link amqp.Link, now time.Time) outcome {
	l := p.find(link)
	if l == nil {
		return limited
	}
	o := p.total.check(p.granted(), p.crowd(), now)
	if o == granted {
		l.errands++
	}
	return o
}

// endErrand is called when the errand's channel is closed.
func (p *pool) endErrand(link amqp.Link) {
	if l := p.find(link); l != nil {
		l.errands--
	}
}

// mayScout reports whether there is a channel for a scout that tries something else than channels.
// Where no limit was met it is not asked for: a scout harms nobody but by taking the last one.
func (p *pool) mayScout(now time.Time) bool {
	return !p.total.strict || p.total.check(p.granted(), p.crowd(), now) == granted
}

// momentary returns how many channels are granted that will be free in a moment. They are of interest
// only where the broker is known to have a limit.
func (p *pool) momentary() int {
	if !p.total.strict {
		return 0
	}
	n := p.scouts + p.counted
	for _, l := range p.links {
		n += l.errands
	}
	return n
}

// check decides whether so many more channels may be opened for a stream: see channelLimit.check.
// It returns busy where there will be enough in a moment.
func (p *pool) check(channels int, now time.Time) outcome {
	further := p.granted() + channels - 1
	o := p.total.check(further, p.crowd(), now)
	if n := p.momentary(); o == limited && n > 0 && p.total.check(further-n, p.crowd(), now) == granted {
		return busy
	}
	return o
}

// releases is called before a lease is released, which may be unused: then its second channel is
// free, too. It reports whether a channel was open.
func (p *pool) releases(owner *actor.PID, unused bool) (channel bool) {
	l := p.leases[owner.Id]
	if l == nil {
		return false
	}
	if l.beside && unused {
		l.on.beside--
	}
	return l.channel
}

// besideChanged notes what has become of a feed's second channel. It reports whether one is closed by
// it.
func (p *pool) besideChanged(link amqp.Link, state besideState, now time.Time) (closed bool) {
	l := p.find(link)
	if l == nil {
		return false
	}
	switch state {
	case besideOpen:
		l.besideOpen++
		p.total.seen(p.channels(), now)
	case besideClosed:
		l.besideOpen--
		p.total.dropped(p.channels())
	case besideOver:
		l.beside--
	}
	return state == besideClosed
}
