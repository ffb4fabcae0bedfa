package actors

import (
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Spares: a link with streams may have one channel that serves none of them, for what is done
// beside them. The pool counts it as any other, and has it given back before a stream would have to
// do without a channel.

// spare is the channel of a link that serves no stream, as it is reported and as the pool keeps it.
type spare struct {
	granted   bool          // it may be open
	open      bool          // it is, at the broker
	returning bool          // it is being given back
	again     time.Duration // reported with its end: not to be opened sooner
	due       time.Time     // kept: not to be opened sooner
}

// count returns 1 for a spare that may be open, else 0.
func (s spare) count() int {
	if s.granted {
		return 1
	}
	return 0
}

// spares returns the number of spares that may be open.
func (p *pool) spares() (n int) {
	for _, l := range p.links {
		n += l.spare.count()
	}
	return n
}

// withoutSpare returns the links that serve streams, may get more and have no spare.
func (p *pool) withoutSpare() (links []*linkEntry) {
	for _, l := range p.links {
		if l.leases > 0 && !l.retired && !l.spare.granted {
			links = append(links, l)
		}
	}
	return links
}

// fewestForSpare is how many channels a link has at least that has one to spare.
const fewestForSpare = 32

// takeSpare decides whether a link may have a spare, and grants it. Links that have room for few
// channels keep them for streams.
func (p *pool) takeSpare(l *linkEntry, now time.Time) outcome {
	if l.told > 0 && l.told < fewestForSpare || now.Before(l.spare.due) || now.Before(p.sparesDue) {
		return limited
	}
	o := p.total.spare(p.granted(), now)
	l.spare.granted = o == granted
	return o
}

// spareChanged notes what has become of a link's spare. It reports whether a channel is closed by it.
func (p *pool) spareChanged(link amqp.Link, change spare, now time.Time) (closed bool) {
	l := p.find(link)
	if l == nil {
		return false
	}
	if change.open {
		l.spare.open = true
		p.total.seen(p.channels(), now)
		return false
	}
	l.spare = spare{due: now.Add(change.again)}
	p.total.dropped(p.channels())
	return true
}

// sparesToReturn returns the links whose spares are to be given back now; each is returned once.
func (p *pool) sparesToReturn() (links []amqp.Link) {
	for _, l := range p.links {
		if l.spare.granted && !l.spare.returning {
			l.spare.returning = true
			links = append(links, l.link)
		}
	}
	return links
}

// sparesScarce reports whether the spares take what streams may need.
func (p *pool) sparesScarce() bool { return p.total.scarce(p.granted()) }

// holdSpares lets no spare be opened until then.
func (p *pool) holdSpares(until time.Time) { p.sparesDue = until }

// beginSpareScout is called when a scout is sent for a spare. It returns how many channels the scout
// is to open.
func (p *pool) beginSpareScout() int {
	return p.total.beginSpare(p.channels(), p.granted(), p.waiting.Len() > 0)
}
