package actors

import (
	"cmp"
	"container/list"
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
	aside   int // channels beside those of leases, which no stream needs, see canaries
	scouts  int // scouts under way, but for those that try channels
	counted int // channels that are closed, and that the broker may still count

	sparesDue time.Time // no spare is opened before
}

// leaseEntry is a lease that was granted.
type leaseEntry struct {
	owner   *actor.PID
	on      *linkEntry
	node    *node     // the owner's, once the channel is consuming
	channel bool      // it is open at the broker
	beside  bool      // it is for two channels
	opening bool      // it is not consuming yet
	calling time.Time // since when the broker owes an answer; zero: it owes none
	stuck   bool      // its owner was told that no answer comes
}

// leaseRequest is an owner that waits for a lease.
type leaseRequest struct {
	owner    *actor.PID
	bindings []amqp.Binding
	beside   bool // it is for a second channel, too
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
	reserved           // the same, and some serve no stream: those are to be given back
	unverified         // whether the broker allows a further channel is to be tried
)

func newPool(l Limits, total channelLimit) *pool {
	return &pool{
		most: l.ChannelsPerLink, declares: l.Declares,
		leases: map[string]*leaseEntry{}, waiting: list.New(), places: map[string]*list.Element{},
		total: total,
	}
}

// crowd reports whether many channels are wanted at once.
func (p *pool) crowd() bool {
	n := p.waiting.Len()
	for _, l := range p.links {
		n += l.opening
	}
	return n >= crowdSize
}

// crowdSize is how many requests at once are a crowd.
const crowdSize = 8

// granted returns the number of channels that may be open on all links: one for each lease, and
// those that serve no stream.
func (p *pool) granted() int {
	n := p.aside + p.momentary()
	for _, l := range p.links {
		n += l.leases + l.spare.count() + l.beside
	}
	return n
}

// channels returns how many of those are open at the broker.
func (p *pool) channels() int {
	n := p.aside
	for _, l := range p.links {
		if n += l.channels + l.besideOpen; l.spare.open {
			n++
		}
	}
	return n
}

// spare reports whether a link may have a channel that no stream needs: it takes none of its leases'
// channels, nor one of those that the broker may allow in all.
func (p *pool) spare(l *linkEntry, now time.Time) bool {
	const others = 2 // this one, and that of dead letters
	room := p.capacity(l, now) == p.most && (l.told == 0 || l.told >= p.most+others)
	return room && p.total.spare(p.granted(), now) == granted
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

// beginScout is called when a scout is sent. It returns how many channels the scout is to open.
func (p *pool) beginScout() int { return p.total.begin(p.channels()) }

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
	r := front.Value.(leaseRequest)
	l, o := p.choose(r.channels(), now)
	if o != granted {
		return nil, nil, o
	}
	switch o := p.check(r.channels(), now); {
	case o == limited && p.spares() > 0:
		return nil, nil, reserved
	case o != granted:
		return nil, nil, o
	}
	owner = p.stopWaiting(front).owner
	l.leases++
	l.opening++
	l.beside += r.channels() - 1
	p.leases[owner.Id] = &leaseEntry{owner: owner, on: l, beside: r.beside, opening: true, calling: now}
	return owner, l.link, granted
}

// choose returns the link for the next lease, of so many channels: of the node with the fewest leases
// the link with the fewest; or busy or full.
func (p *pool) choose(channels int, now time.Time) (least *linkEntry, o outcome) {
	o = full
	loads := p.loads()
	for _, l := range p.links {
		switch {
		case !l.usable() || l.leases >= p.capacity(l, now)-(channels-1) && l.leases > 0:
		case l.opening >= p.declares:
			o = busy
		case least == nil || cmp.Or(cmp.Compare(loads[l.address], loads[least.address]), cmp.Compare(l.leases, least.leases)) < 0:
			least = l
		}
	}
	if least != nil {
		return least, granted
	}
	return nil, o
}

// release takes the owner's lease back, or its place in the queue.
func (p *pool) release(owner *actor.PID) {
	p.withdraw(owner)
	l := p.leases[owner.Id]
	if l == nil {
		return
	}
	p.opened(owner)
	p.answered(l)
	delete(p.leases, owner.Id)
	if l.channel {
		l.on.channels--
	}
	p.total.dropped(p.channels())
	l.on.leases--
}

// leasesOn returns the leases of a link, and how many streams they serve.
func (p *pool) leasesOn(on *linkEntry) (leases []*leaseEntry, streams int) {
	for _, l := range p.leases {
		if l.on == on {
			leases = append(leases, l)
			streams += max(1, int(l.node.streams()))
		}
	}
	return leases, streams
}
