package actors

import (
	"container/list"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// pool is the broker actor's account: which links are up, who has a lease of which, who waits for
// one. It decides and does nothing; one actor holds it.
type pool struct {
	channels int // most leases of a link
	declares int // most leases of a link whose channel is still being opened

	links   []*linkEntry
	leases  map[string]*leaseEntry   // by the owner's PID
	waiting *list.List               // of *actor.PID, in order of asking
	places  map[string]*list.Element // in waiting, by the PID
}

// linkEntry is a link that is up.
type linkEntry struct {
	link     amqp.Link
	since    time.Time
	channels int // most leases; fewer than the pool's where the broker allows fewer
	leases   int
	opening  int
	ended    int64 // streams that have ended with the link before its loss was known here
}

// leaseEntry is a lease that was granted.
type leaseEntry struct {
	on      *linkEntry
	node    *node // the owner's, once the channel is consuming
	opening bool
	since   time.Time // of the broker's last answer, while it is opening
}

func newPool(l Limits) *pool {
	return &pool{
		channels: l.ChannelsPerLink, declares: l.Declares,
		leases: map[string]*leaseEntry{}, waiting: list.New(), places: map[string]*list.Element{},
	}
}

func (p *pool) up() bool { return len(p.links) > 0 }

// add takes a new link into use.
func (p *pool) add(link amqp.Link) {
	p.links = append(p.links, &linkEntry{link: link, channels: p.channels, since: time.Now()})
}

// states returns what an operator sees of the links.
func (p *pool) states() []LinkState {
	out := make([]LinkState, len(p.links))
	for i, l := range p.links {
		out[i] = LinkState{Since: l.since, Channels: l.leases, Opening: l.opening}
	}
	return out
}

// remove removes a link, and reports whether it was there. Its leases stay until their owners release
// them.
func (p *pool) remove(link amqp.Link) bool {
	before := len(p.links)
	p.links = slices.DeleteFunc(p.links, func(l *linkEntry) bool { return l.link == link })
	return len(p.links) < before
}

// serves notes whose channel is consuming: servedBy counts its streams.
func (p *pool) serves(owner *actor.PID, n *node) {
	if l := p.leases[owner.Id]; l != nil {
		l.node = n
	}
}

// servedBy returns how many streams a link serves, or has served until it was lost.
func (p *pool) servedBy(link amqp.Link) (count int64) {
	for _, l := range p.links {
		if l.link == link {
			count = l.ended
		}
	}
	for _, l := range p.leases {
		if l.on.link == link {
			count += l.node.streams()
		}
	}
	return count
}

// noteLost is called before a lease is released: where its link is lost, and the broker actor does
// not know that yet, servedBy counts the streams of the lease all the same.
func (p *pool) noteLost(owner *actor.PID) {
	l := p.leases[owner.Id]
	if l == nil {
		return
	}
	select {
	case <-l.on.link.Lost():
		l.on.ended += l.node.streams()
	default:
	}
}

// wait puts an owner at the end of the queue, unless it waits or has a lease already.
func (p *pool) wait(owner *actor.PID) {
	if p.places[owner.Id] == nil && p.leases[owner.Id] == nil {
		p.places[owner.Id] = p.waiting.PushBack(owner)
	}
}

// next grants a lease to the owner that has waited longest, and returns that owner and the link: nil
// where none waits or no link has room. full reports whether all links have as many leases as they
// may.
func (p *pool) next(now time.Time) (owner *actor.PID, link amqp.Link, full bool) {
	front := p.waiting.Front()
	if front == nil {
		return nil, nil, false
	}
	full = true
	for _, l := range p.links {
		if l.leases >= l.channels {
			continue
		}
		full = false
		if l.opening < p.declares {
			owner = p.stopWaiting(front)
			l.leases++
			l.opening++
			p.leases[owner.Id] = &leaseEntry{on: l, opening: true, since: now}
			return owner, l.link, false
		}
	}
	return nil, nil, full
}

// clearWaiting empties the queue and returns the owners that waited.
func (p *pool) clearWaiting() []*actor.PID {
	var all []*actor.PID
	for p.waiting.Len() > 0 {
		all = append(all, p.stopWaiting(p.waiting.Front()))
	}
	return all
}

func (p *pool) stopWaiting(place *list.Element) *actor.PID {
	owner := p.waiting.Remove(place).(*actor.PID)
	delete(p.places, owner.Id)
	return owner
}

// progressed notes that the link of the owner's channel answers.
func (p *pool) progressed(owner *actor.PID, now time.Time) {
	if l := p.leases[owner.Id]; l != nil {
		l.since = now
	}
}

// exhausted notes that the owner's link has no room for more than the channels that are open on it.
func (p *pool) exhausted(owner *actor.PID) {
	if l := p.leases[owner.Id]; l != nil {
		l.on.channels = max(1, l.on.leases-l.on.opening)
	}
}

// opened notes that the owner's channel is consuming: another may be opened.
func (p *pool) opened(owner *actor.PID) {
	if l := p.leases[owner.Id]; l != nil && l.opening {
		l.opening = false
		l.on.opening--
	}
}

// release takes the owner's lease back, or its place in the queue. It returns the link that has no
// lease left by this, nil where there is none.
func (p *pool) release(owner *actor.PID) (idle amqp.Link) {
	if place := p.places[owner.Id]; place != nil {
		p.stopWaiting(place)
	}
	l := p.leases[owner.Id]
	if l == nil {
		return nil
	}
	p.opened(owner)
	delete(p.leases, owner.Id)
	if l.on.leases--; l.on.leases == 0 {
		return l.on.link
	}
	return nil
}

// idleExtra reports whether a link has no lease and is not the only one.
func (p *pool) idleExtra(link amqp.Link) bool {
	return len(p.links) > 1 && slices.ContainsFunc(p.links, func(l *linkEntry) bool { return l.link == link && l.leases == 0 })
}

// stuck returns the links that have left a channel without an answer for longer than patience.
func (p *pool) stuck(now time.Time, patience time.Duration) []amqp.Link {
	var links []amqp.Link
	for _, l := range p.leases {
		if l.opening && now.Sub(l.since) > patience && !slices.Contains(links, l.on.link) {
			links = append(links, l.on.link)
		}
	}
	return links
}

// opening reports whether any channel is being opened.
func (p *pool) opening() bool {
	return slices.ContainsFunc(p.links, func(l *linkEntry) bool { return l.opening > 0 })
}
