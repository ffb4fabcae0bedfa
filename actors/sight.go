package actors

import (
	"maps"
	"slices"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// sight is what canaries have shown of the nodes of a cluster: which of them hear each other. A node
// that a partition leaves alone serves its links as before, and none of what is published elsewhere
// reaches them: it is blind. Canaries are published at every node that has a link, and each link has
// an ear, a queue that is to hear all of them.
//
// What is not heard proves nothing by itself. A canary counts as missed only where an ear at the
// node of its sender has heard it (else the broker holds publishers up, for want of memory), and
// where the ear that has missed it has heard a canary of its own node meanwhile (else its link is
// busy, its node frozen, its queue gone).
//
// Which side of a partition is the blind one, no node can tell by itself. The larger side is kept.
// Where the sides are equal, links to further nodes are waited for, which may decide; then the side
// with the first address is kept, so that all processes keep the same one.
//
// It is a value of the broker actor: it decides and does nothing.
type sight struct {
	ears  map[amqp.Link]*ear
	blind map[string]bool // addresses
	even  int             // rounds in which the sides were equal
	alone int             // rounds in which a blind node was the only one
}

// ear is what one link has heard.
type ear struct {
	address string
	news    map[string]bool // the nodes that were heard since the last round
	score   map[string]int  // by node: how often it was heard, or missed (negative), lately
}

const (
	// surely is how many canaries in a row must be missed, or heard, to be a fact.
	surely = 2
	// evenRounds is how long equal sides are watched before one is chosen.
	evenRounds = 3
	// aloneRounds is how long a blind node is avoided while no other has a link.
	aloneRounds = 10
)

func newSight() *sight { return &sight{ears: map[amqp.Link]*ear{}, blind: map[string]bool{}} }

func (s *sight) add(link amqp.Link) {
	s.ears[link] = &ear{address: amqp.Address(link), news: map[string]bool{}, score: map[string]int{}}
}

func (s *sight) remove(link amqp.Link) { delete(s.ears, link) }

// hear notes that a link has heard a node's canary.
func (s *sight) hear(link amqp.Link, from string) {
	if e := s.ears[link]; e != nil {
		e.news[from] = true
	}
}

// skip forgets what was heard in a round that proves nothing.
func (s *sight) skip() {
	for _, e := range s.ears {
		clear(e.news)
	}
}

// judge closes a round: every node has sent at least one canary since the last.
func (s *sight) judge() {
	sent := map[string]bool{}
	for _, e := range s.ears {
		if e.news[e.address] {
			sent[e.address] = true
		}
	}
	for _, e := range s.ears {
		for from := range e.news {
			e.score[from] = min(max(e.score[from], 0)+1, surely)
		}
		for from := range sent {
			if e.news[e.address] && !e.news[from] {
				e.score[from] = max(min(e.score[from], 0)-1, -surely)
			}
		}
	}
	s.skip()
	s.decide()
}

// decide finds the nodes that hear each other; the others are blind.
func (s *sight) decide() {
	nodes := s.nodes()
	if len(nodes) == 1 && s.blind[nodes[0]] {
		if s.alone++; s.alone >= aloneRounds { // there is none that it could miss
			s.alone, s.blind = 0, map[string]bool{}
		}
		return
	}
	s.alone = 0
	kept, even := slices.Clone(nodes), false
	for s.divided(kept) {
		lowest := s.lowest(kept)
		victim := slices.IndexFunc(lowest, func(a string) bool { return s.blind[a] })
		if victim < 0 {
			if even = s.divided(lowest); even && s.even < evenRounds {
				s.even++
				return
			}
			victim = len(lowest) - 1
		}
		kept = slices.DeleteFunc(kept, func(a string) bool { return a == lowest[victim] })
	}
	s.even = 0
	for _, a := range nodes {
		if delete(s.blind, a); !slices.Contains(kept, a) {
			s.blind[a] = true
		}
	}
}

// nodes returns the addresses that have an ear, sorted.
func (s *sight) nodes() []string {
	all := map[string]bool{}
	for _, e := range s.ears {
		all[e.address] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// lowest returns those of the nodes that surely hear, and are heard by, the fewest of them.
func (s *sight) lowest(nodes []string) (lowest []string) {
	least := len(nodes)
	for _, a := range nodes {
		n := 0
		for _, b := range nodes {
			if a != b && s.best(a, b) >= surely && s.best(b, a) >= surely {
				n++
			}
		}
		if n < least {
			least, lowest = n, nil
		}
		if n == least {
			lowest = append(lowest, a)
		}
	}
	return lowest
}

// divided reports whether two of the nodes do not hear each other.
func (s *sight) divided(nodes []string) bool {
	for i, a := range nodes {
		for _, b := range nodes[i+1:] {
			if !s.together(a, b) {
				return true
			}
		}
	}
	return false
}

// together reports whether nothing shows that two nodes do not hear each other; of a blind node it
// must be shown that they do.
func (s *sight) together(a, b string) bool {
	known := min(s.best(a, b), s.best(b, a))
	if s.blind[a] || s.blind[b] {
		return known >= surely
	}
	return known > -surely
}

// best returns how well a node hears another one: the most that one of its ears does.
func (s *sight) best(node, from string) int {
	best := -surely
	for _, e := range s.ears {
		if e.address == node {
			best = max(best, e.score[from])
		}
	}
	return best
}

// deaf returns the links that do not hear a node which another link of their own node hears.
func (s *sight) deaf() (links []amqp.Link) {
	for link, e := range s.ears {
		for from, score := range e.score {
			if score <= -surely && !s.blind[e.address] && !s.blind[from] && s.best(e.address, from) > -surely {
				links = append(links, link)
				break
			}
		}
	}
	return links
}
