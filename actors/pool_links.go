package actors

import (
	"slices"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The pool's links.

// linkEntry is a link that is up.
type linkEntry struct {
	link       amqp.Link
	herd       *herd  // those with a lease of it
	address    string // host:port; empty where the link does not tell
	since      time.Time
	told       int       // the link's own capacity; 0 where it does not tell
	learned    int       // fewer than that, where a channel could not be opened; 0: none was refused
	until      time.Time // when learned is forgotten; zero: never
	leases     int
	opening    int   // of them, not yet consuming
	channels   int   // of them, open at the broker
	spare      spare // the channel that serves no stream
	beside     int   // second channels of feeds
	besideOpen int   // of them, open at the broker
	errands    int   // see beginErrand
	stuck      int   // of them, whose call is not answered any more
	retired    bool  // it serves its leases, and gets no new one
	blind      bool  // its node does not hear the others: it gets no lease while that is so
	watched    bool  // it hears canaries
	resting    bool  // it is idle extra, or was: whether it still is will be looked at
	ended      int64 // streams that have ended with the link before its loss was known here
}

// learnedCapacityTimeout is how long a link is taken to have less room than it tells: a channel may
// be refused because others are being closed.
const learnedCapacityTimeout = 30 * time.Second

// usable reports whether the link may get new leases.
func (l *linkEntry) usable() bool { return !l.retired && !l.blind }

// up reports whether there is a link that may get new leases.
func (p *pool) up() bool { return slices.ContainsFunc(p.links, (*linkEntry).usable) }

// usableLink returns the first link that may get new leases, nil where there is none.
func (p *pool) usableLink() amqp.Link {
	if i := slices.IndexFunc(p.links, (*linkEntry).usable); i >= 0 {
		return p.links[i].link
	}
	return nil
}

// add takes a new link into use.
func (p *pool) add(link amqp.Link, now time.Time) *linkEntry {
	l := &linkEntry{link: link, herd: newHerd(), address: amqp.Address(link), told: amqp.Capacity(link), since: now}
	p.links = append(p.links, l)
	return l
}

func (p *pool) find(link amqp.Link) *linkEntry {
	for _, l := range p.links {
		if l.link == link {
			return l
		}
	}
	return nil
}

// herd returns those that end with a link, nil where it is not up.
func (p *pool) herd(link amqp.Link) *herd {
	if l := p.find(link); l != nil {
		return l.herd
	}
	return nil
}

// capacity returns how many leases a link may have.
func (p *pool) capacity(l *linkEntry, now time.Time) int {
	most := p.most
	if l.told > 0 {
		most = min(most, l.told-l.spare.count()-l.beside)
	}
	if l.learned > 0 && (l.until.IsZero() || now.Before(l.until)) {
		most = min(most, l.learned)
	}
	return most
}

// states returns what an operator sees of the links.
func (p *pool) states(now time.Time) []LinkState {
	out := make([]LinkState, len(p.links))
	for i, l := range p.links {
		out[i] = LinkState{
			Since: l.since, Address: l.address, Capacity: p.capacity(l, now),
			Channels: l.leases, Opening: l.opening, Stuck: l.stuck, Retired: l.retired, Blind: l.blind, Watched: l.watched,
		}
	}
	return out
}

// remove removes a link, and reports whether it was there. Its leases stay until their owners
// release them.
func (p *pool) remove(link amqp.Link) bool {
	before := len(p.links)
	p.links = slices.DeleteFunc(p.links, func(l *linkEntry) bool { return l.link == link })
	return len(p.links) < before
}

// retire lets a link serve its leases and get no new one.
func (p *pool) retire(link amqp.Link) {
	if l := p.find(link); l != nil {
		l.retired = true
	}
}

// finished returns the retired links that serve no stream any more.
func (p *pool) finished() (links []amqp.Link) {
	for _, l := range p.links {
		if l.retired && l.leases == l.stuck {
			links = append(links, l.link)
		}
	}
	return links
}
