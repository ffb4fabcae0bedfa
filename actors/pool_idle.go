package actors

import (
	"slices"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Idle links: those that are not needed are closed after a while (idleLinkTimeout), so that a crowd
// leaves nothing on the broker.

// idleExtra reports whether a link has no lease and is not needed: it is not the only one that may
// get one, nor one of the few that lead to different nodes while there are streams to be spread, nor
// the only one of its node while a node is blind, which they show, and whether it hears again.
func (p *pool) idleExtra(l *linkEntry) bool {
	spread := p.several() && len(p.addresses(false)) <= spreadOver
	return l.leases == 0 && !(p.onlyOfItsNode(l) && (spread || p.blindNodes() > 0)) &&
		slices.ContainsFunc(p.links, func(other *linkEntry) bool { return other != l && other.usable() })
}

// rest returns the links that are idle extra, each once until woken is called.
func (p *pool) rest() (links []amqp.Link) {
	for _, l := range p.links {
		if !l.resting && p.idleExtra(l) {
			l.resting = true
			links = append(links, l.link)
		}
	}
	return links
}

// woken is called when a link has rested. It reports whether the link is idle extra still, or again.
func (p *pool) woken(link amqp.Link) bool {
	l := p.find(link)
	if l == nil {
		return false
	}
	l.resting = false
	return p.idleExtra(l)
}
