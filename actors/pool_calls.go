package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// What the pool knows of the channels of its leases: whether a call is under way, and since when.

// calling notes that the owner's channel has a call under way after it has been opened.
func (p *pool) calling(owner *actor.PID, now time.Time) {
	if l := p.leases[owner.Id]; l != nil {
		l.calling = now
	}
}

// progressed notes that the broker has answered the owner's call; while the channel is being
// opened, the next call is under way. It returns the link, nil where there is no such lease.
func (p *pool) progressed(owner *actor.PID, now time.Time) (on *linkEntry) {
	l := p.leases[owner.Id]
	if l == nil {
		return nil
	}
	p.answered(l)
	if l.opening {
		l.calling = now
	}
	if !l.channel {
		l.channel = true
		l.on.channels++
		if l.on.learned > 0 {
			l.on.learned = max(l.on.learned, l.on.channels)
		}
		p.total.seen(p.channels(), now)
	}
	return l.on
}

// witnesses returns the owners of at most n leases of a link whose channels are consuming and owe
// no answer.
func (p *pool) witnesses(link amqp.Link, n int) (owners []*actor.PID) {
	for _, l := range p.leases {
		if len(owners) < n && l.on.link == link && !l.opening && l.calling.IsZero() && !l.stuck {
			owners = append(owners, l.owner)
		}
	}
	return owners
}

// answered notes that a lease waits for no answer.
func (p *pool) answered(l *leaseEntry) {
	l.calling = time.Time{}
	if l.stuck {
		l.stuck = false
		l.on.stuck--
	}
}

// exhausted notes that the owner's link has room for no more than the channels that are open on it.
// Where the link reports a capacity of its own, the smaller number counts for
// learnedCapacityTimeout only.
func (p *pool) exhausted(owner *actor.PID, now time.Time) {
	l := p.leases[owner.Id]
	if l == nil {
		return
	}
	l.on.learned = max(1, l.on.channels)
	if l.on.until = (time.Time{}); l.on.told > 0 {
		l.on.until = now.Add(learnedCapacityTimeout)
	}
}

// opened notes that the owner's channel is consuming: another may be opened.
func (p *pool) opened(owner *actor.PID) {
	if l := p.leases[owner.Id]; l != nil && l.opening {
		p.answered(l)
		l.opening = false
		l.on.opening--
	}
}

// unanswered returns the leases whose call is under way for longer than patience and whose owners
// were not told.
func (p *pool) unanswered(now time.Time, patience time.Duration) (leases []*leaseEntry) {
	for _, l := range p.leases {
		if !l.calling.IsZero() && !l.stuck && now.Sub(l.calling) >= patience {
			leases = append(leases, l)
		}
	}
	return leases
}

// giveUp notes that the lease's owner is told that no answer comes.
func (p *pool) giveUp(l *leaseEntry) {
	if !l.stuck {
		l.stuck = true
		l.on.stuck++
	}
}

// nextCheck returns when the first call that is under way will be as old as one of the ages: zero
// where there is none.
func (p *pool) nextCheck(now time.Time, ages ...time.Duration) (at time.Time) {
	for _, l := range p.leases {
		if l.calling.IsZero() || l.stuck {
			continue
		}
		for _, age := range ages {
			if due := l.calling.Add(age); due.After(now) && (at.IsZero() || due.Before(at)) {
				at = due
			}
		}
	}
	return at
}
