package actors

import (
	"maps"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// What the pool knows of the broker's nodes: how the leases are spread over them.

// spreadOver is how many nodes should have a link.
const spreadOver = 3

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
