package actors

import (
	"container/list"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// pool is the broker actor's books: which links are up, who holds a channel of
// which, who waits. It decides and does nothing; one actor holds it.
type pool struct {
	channels int // most leases of a link
	declares int // most leases of a link whose channel is still being opened

	links   []*pooled
	leases  map[string]*lease // by the holder's PID
	waiting *list.List        // of *actor.PID, in order of asking
	places  map[string]*list.Element
}

// pooled is a link that is up.
type pooled struct {
	link     amqp.Link
	since    time.Time
	channels int // most leases; fewer than the pool's where the broker allows fewer
	leases   int
	opening  int
}

// lease is the right to one channel of a link.
type lease struct {
	on      *pooled
	opening bool
	since   time.Time // the broker's last word while it is opening
}

func newPool(l Limits) *pool {
	return &pool{
		channels: l.ChannelsPerLink, declares: l.Declares,
		leases: map[string]*lease{}, waiting: list.New(), places: map[string]*list.Element{},
	}
}

func (p *pool) up() bool { return len(p.links) > 0 }

// add takes a new link into use.
func (p *pool) add(link amqp.Link) {
	p.links = append(p.links, &pooled{link: link, channels: p.channels, since: time.Now()})
}

// states gives what an operator sees of the links.
func (p *pool) states() []LinkState {
	out := make([]LinkState, len(p.links))
	for i, l := range p.links {
		out[i] = LinkState{Since: l.since, Channels: l.leases, Opening: l.opening}
	}
	return out
}

// remove forgets a link, and tells whether it was there. Its leases stay until
// their holders release them.
func (p *pool) remove(link amqp.Link) bool {
	before := len(p.links)
	p.links = slices.DeleteFunc(p.links, func(l *pooled) bool { return l.link == link })
	return len(p.links) < before
}

// wait puts somebody at the end of the queue.
func (p *pool) wait(who *actor.PID) {
	if p.places[who.Id] == nil && p.leases[who.Id] == nil {
		p.places[who.Id] = p.waiting.PushBack(who)
	}
}

// next gives a lease to whoever waits longest: nil where nobody waits or no
// link has room. full tells that all links have as many leases as they may.
func (p *pool) next(now time.Time) (who *actor.PID, link amqp.Link, full bool) {
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
			who = p.leaveQueue(front)
			l.leases++
			l.opening++
			p.leases[who.Id] = &lease{on: l, opening: true, since: now}
			return who, l.link, false
		}
	}
	return nil, nil, full
}

// dismiss empties the queue and gives who waited.
func (p *pool) dismiss() []*actor.PID {
	var all []*actor.PID
	for p.waiting.Len() > 0 {
		all = append(all, p.leaveQueue(p.waiting.Front()))
	}
	return all
}

func (p *pool) leaveQueue(place *list.Element) *actor.PID {
	who := p.waiting.Remove(place).(*actor.PID)
	delete(p.places, who.Id)
	return who
}

// progressed: the link of the holder's channel answers.
func (p *pool) progressed(who *actor.PID, now time.Time) {
	if l := p.leases[who.Id]; l != nil {
		l.since = now
	}
}

// exhausted: the holder's link has no room for more than the channels that are
// open on it.
func (p *pool) exhausted(who *actor.PID) {
	if l := p.leases[who.Id]; l != nil {
		l.on.channels = max(1, l.on.leases-l.on.opening)
	}
}

// opened: the holder's channel is consuming, another may be opened.
func (p *pool) opened(who *actor.PID) {
	if l := p.leases[who.Id]; l != nil && l.opening {
		l.opening = false
		l.on.opening--
	}
}

// release takes a lease back, or a place in the queue. It gives the link that
// has no lease left by this, if it is one.
func (p *pool) release(who *actor.PID) (idle amqp.Link) {
	if place := p.places[who.Id]; place != nil {
		p.leaveQueue(place)
	}
	l := p.leases[who.Id]
	if l == nil {
		return nil
	}
	p.opened(who)
	delete(p.leases, who.Id)
	if l.on.leases--; l.on.leases == 0 {
		return l.on.link
	}
	return nil
}

// spare tells whether a link has no lease and is not the only one.
func (p *pool) spare(link amqp.Link) bool {
	return len(p.links) > 1 && slices.ContainsFunc(p.links, func(l *pooled) bool { return l.link == link && l.leases == 0 })
}

// stuck gives the links that have left a channel without an answer for too long.
func (p *pool) stuck(now time.Time, patience time.Duration) []amqp.Link {
	var links []amqp.Link
	for _, l := range p.leases {
		if l.opening && now.Sub(l.since) > patience && !slices.Contains(links, l.on.link) {
			links = append(links, l.on.link)
		}
	}
	return links
}

// opening tells whether any channel is being opened.
func (p *pool) opening() bool {
	return slices.ContainsFunc(p.links, func(l *pooled) bool { return l.opening > 0 })
}
