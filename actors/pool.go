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
	most     int // leases of a link
	declares int // leases of a link whose channel is still being opened

	links   []*linkEntry
	leases  map[string]*leaseEntry   // by the owner's PID
	waiting *list.List               // of leaseRequest, in order of asking
	places  map[string]*list.Element // in waiting, by the owner's PID
	total   channelLimit
}

// linkEntry is a link that is up.
type linkEntry struct {
	link     amqp.Link
	herd     *herd  // those with a lease of it
	address  string // host:port; empty where the link does not tell
	since    time.Time
	told     int       // the link's own capacity; 0 where it does not tell
	learned  int       // fewer than that, where a channel could not be opened; 0: none was refused
	until    time.Time // when learned is forgotten; zero: never
	leases   int
	opening  int   // of them, not yet consuming
	channels int   // of them, open at the broker
	stuck    int   // of them, whose call is not answered any more
	retired  bool  // it serves its leases, and gets no new one
	ended    int64 // streams that have ended with the link before its loss was known here
}

// leaseEntry is a lease that was granted.
type leaseEntry struct {
	owner   *actor.PID
	on      *linkEntry
	node    *node     // the owner's, once the channel is consuming
	channel bool      // it is open at the broker
	opening bool      // it is not consuming yet
	calling time.Time // since when the broker owes an answer; zero: it owes none
	stuck   bool      // its owner was told that no answer comes
}

// leaseRequest is an owner that waits for a lease.
type leaseRequest struct {
	owner    *actor.PID
	bindings []amqp.Binding
	untried  bool // its exchanges could not be tried: it is served all the same
}

// outcome is what the pool has decided about the request that waits longest.
type outcome int

const (
	noneWaits  outcome = iota
	granted            // it has a lease
	busy               // enough channels are being opened
	full               // every link has as many leases as it may
	limited            // the broker allows no further channel
	unverified         // whether the broker allows a further channel is to be tried
)

// learnedCapacityTimeout is how long a link is taken to have less room than it tells: a channel may
// be refused because others are being closed.
const learnedCapacityTimeout = 30 * time.Second

func newPool(l Limits, total channelLimit) *pool {
	return &pool{
		most: l.ChannelsPerLink, declares: l.Declares,
		leases: map[string]*leaseEntry{}, waiting: list.New(), places: map[string]*list.Element{},
		total: total,
	}
}

// up reports whether there is a link that may get new leases.
func (p *pool) up() bool {
	return slices.ContainsFunc(p.links, func(l *linkEntry) bool { return !l.retired })
}

// add takes a new link into use.
func (p *pool) add(link amqp.Link, now time.Time) {
	p.links = append(p.links, &linkEntry{link: link, herd: newHerd(), address: amqp.Address(link), told: amqp.Capacity(link), since: now})
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
		most = min(most, l.told)
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
			Channels: l.leases, Opening: l.opening, Stuck: l.stuck, Retired: l.retired,
		}
	}
	return out
}

// crowd reports whether many channels are wanted at once.
func (p *pool) crowd() bool {
	n := p.waiting.Len()
	for _, l := range p.links {
		n += l.opening
	}
	return n >= crowdSize
}

// spreadOver is how many nodes should have a link.
const spreadOver = 3

// crowdSize is how many requests at once are a crowd.
const crowdSize = 8

// granted returns the number of leases of all links that are up.
func (p *pool) granted() (n int) {
	for _, l := range p.links {
		n += l.leases
	}
	return n
}

// channels returns how many of the leases have a channel that is open at the broker.
func (p *pool) channels() (n int) {
	for _, l := range p.links {
		n += l.channels
	}
	return n
}

// remove removes a link, and reports whether it was there. Its leases stay until their owners
// release them.
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

// limited reports whether the broker allows no further channel.
func (p *pool) limited(now time.Time) bool {
	return p.total.check(p.granted(), p.crowd(), now) == limited
}

// shortOfChannels reports whether a scout should try further channels now, while no crowd waits.
func (p *pool) shortOfChannels(now time.Time) bool {
	return !p.crowd() && p.total.short(p.granted(), now)
}

// next decides about the request that has waited longest. Where it is granted, owner and link say
// to whom and of which link.
func (p *pool) next(now time.Time) (owner *actor.PID, link amqp.Link, o outcome) {
	front := p.waiting.Front()
	if front == nil {
		return nil, nil, noneWaits
	}
	l, o := p.choose(now)
	if o != granted {
		return nil, nil, o
	}
	if o := p.total.check(p.granted(), p.crowd(), now); o != granted {
		return nil, nil, o
	}
	owner = p.stopWaiting(front).owner
	l.leases++
	l.opening++
	p.leases[owner.Id] = &leaseEntry{owner: owner, on: l, opening: true, calling: now}
	return owner, l.link, granted
}

// choose returns the link with the fewest leases for the next one, or busy or full.
func (p *pool) choose(now time.Time) (least *linkEntry, o outcome) {
	o = full
	for _, l := range p.links {
		switch {
		case l.retired || l.leases >= p.capacity(l, now):
		case l.opening >= p.declares:
			o = busy
		case least == nil || l.leases < least.leases:
			least = l
		}
	}
	if least != nil {
		return least, granted
	}
	return nil, o
}

// addresses returns the addresses that links lead to; with retired, those of retired links too.
func (p *pool) addresses(retired bool) map[string]bool {
	all := map[string]bool{}
	for _, l := range p.links {
		if l.address != "" && (retired || !l.retired) {
			all[l.address] = true
		}
	}
	return all
}

// tooFewNodes reports whether streams need more than one lease while links lead to fewer than most
// nodes of the broker. It returns false where no link is up.
func (p *pool) tooFewNodes(most int) bool {
	nodes := len(p.addresses(false))
	return nodes > 0 && nodes < most && len(p.leases)+p.waiting.Len() > 1
}

// onlyOfItsNode reports whether no other link that gets leases leads to the link's node.
func (p *pool) onlyOfItsNode(l *linkEntry) bool {
	return !slices.ContainsFunc(p.links, func(other *linkEntry) bool {
		return other != l && !other.retired && other.address == l.address
	})
}

// release takes the owner's lease back, or its place in the queue. It returns the link that has no
// lease left by this, nil where there is none.
func (p *pool) release(owner *actor.PID) (idle amqp.Link) {
	p.withdraw(owner)
	l := p.leases[owner.Id]
	if l == nil {
		return nil
	}
	p.opened(owner)
	p.answered(l)
	delete(p.leases, owner.Id)
	if l.channel {
		l.on.channels--
	}
	p.total.dropped(p.channels())
	if l.on.leases--; l.on.leases == 0 {
		return l.on.link
	}
	return nil
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

// idleExtra reports whether a link has no lease and is not the only one that may get one, nor one
// of the few that lead to different nodes.
func (p *pool) idleExtra(link amqp.Link) bool {
	l := p.find(link)
	if l != nil && p.onlyOfItsNode(l) && len(p.addresses(false)) <= spreadOver {
		return false
	}
	return l != nil && l.leases == 0 && slices.ContainsFunc(p.links, func(other *linkEntry) bool { return other != l && !other.retired })
}
