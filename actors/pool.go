package actors

import (
	"cmp"
	"container/list"
	"maps"
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
	aside   int // channels beside those of leases, which no stream needs, see canaries
	scouts  int // scouts under way, but for those that try channels
	counted int // channels that are closed, and that the broker may still count

	sparesDue time.Time // no spare is opened before
}

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

// usable reports whether the link may get new leases.
func (l *linkEntry) usable() bool { return !l.retired && !l.blind }

// up reports whether there is a link that may get new leases.
func (p *pool) up() bool { return slices.ContainsFunc(p.links, (*linkEntry).usable) }

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

// loads returns the number of leases at each address.
func (p *pool) loads() map[string]int {
	loads := make(map[string]int, spreadOver)
	for _, l := range p.links {
		loads[l.address] += l.leases
	}
	return loads
}

// usableLoads is loads for the nodes that may get leases.
func (p *pool) usableLoads() map[string]int {
	loads, usable := p.loads(), p.addresses(false)
	maps.DeleteFunc(loads, func(address string, _ int) bool { return !usable[address] })
	return loads
}

// movable returns owners whose channels are consuming at a node, with at most n streams in all.
func (p *pool) movable(address string, n int) (owners []*actor.PID) {
	for _, l := range p.leases {
		streams := int(l.node.streams())
		if l.on.address == address && streams > 0 && !l.opening && !l.stuck && streams <= n {
			owners = append(owners, l.owner)
			n -= streams
		}
	}
	return owners
}

// crowded returns the address of a node whose links are full, while another one has more leases;
// empty where there is none.
func (p *pool) crowded(now time.Time) (address string) {
	loads, room, most := p.loads(), map[string]bool{}, 0
	for _, l := range p.links {
		if l.usable() {
			most = max(most, loads[l.address])
			room[l.address] = room[l.address] || l.leases < p.capacity(l, now)
		}
	}
	for a, has := range room {
		if a != "" && !has && loads[a] < most {
			return a
		}
	}
	return ""
}

// addresses returns the addresses that links lead to; with every, those of retired and blind
// links too.
func (p *pool) addresses(every bool) map[string]bool {
	all := map[string]bool{}
	for _, l := range p.links {
		if l.address != "" && (every || l.usable()) {
			all[l.address] = true
		}
	}
	return all
}

// tooFewNodes reports whether streams need more than one lease while links lead to fewer than most
// nodes of the broker. It returns false where no link is up.
func (p *pool) tooFewNodes(most int) bool {
	nodes := len(p.addresses(false))
	return nodes > 0 && nodes < most && p.several()
}

// several reports whether streams need more than one lease.
func (p *pool) several() bool { return len(p.leases)+p.waiting.Len() > 1 }

// onlyOfItsNode reports whether no other link that gets leases leads to the link's node.
func (p *pool) onlyOfItsNode(l *linkEntry) bool {
	return !slices.ContainsFunc(p.links, func(other *linkEntry) bool {
		return other != l && !other.retired && other.blind == l.blind && other.address == l.address
	})
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

// retire lets a link serve its leases and get no new one.
func (p *pool) retire(link amqp.Link) {
	if l := p.find(link); l != nil {
		l.retired = true
	}
}

// watched returns how many links hear canaries.
func (p *pool) watched() (n int) {
	for _, l := range p.links {
		if l.watched {
			n++
		}
	}
	return n
}

// blindNodes returns how many nodes have links and are blind.
func (p *pool) blindNodes() int {
	blind := map[string]bool{}
	for _, l := range p.links {
		if l.blind {
			blind[l.address] = true
		}
	}
	return len(blind)
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

// finished returns the retired links that serve no stream any more.
func (p *pool) finished() (links []amqp.Link) {
	for _, l := range p.links {
		if l.retired && l.leases == l.stuck {
			links = append(links, l.link)
		}
	}
	return links
}
