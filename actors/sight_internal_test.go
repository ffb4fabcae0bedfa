package actors

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// sightLink is a link that is only compared.
type sightLink struct {
	amqp.Link
	address string
}

func (l *sightLink) Address() string { return l.address }

// Which nodes are blind is decided by what is heard alone: groups of nodes that hear each other,
// round by round. "ab c" are two nodes that hear each other, and one that is alone; "-" is a round
// in which nothing is heard; "a>" a node whose link hears nothing, "a<" one that cannot publish.
func TestWhichNodesAreBlind(t *testing.T) {
	for _, c := range []struct {
		claim  string
		rounds string
		blind  string
	}{
		{"all hear each other", "abc×9", ""},
		{"one missed canary is none", "abc×3, a bc, abc, a bc, abc", ""},
		{"two missed canaries are", "abc×3, a bc×2", "a"},
		{"a node that is alone from the first", "a bc×2", "a"},
		{"the larger side is kept, whichever has the first address", "abc×3, ab c×2", "c"},
		{"of five nodes, three are kept", "abcde×3, ab cde×2", "a b"},
		{"of four nodes in two pairs, the first address is kept, after a while", "abcd×3, ab cd×9", "c d"},
		{"equal sides are not judged at once", "ab×3, a b×3", ""},
		{"equal sides are judged in time", "ab×3, a b×6", "b"},
		{"three nodes of which each is alone", "abc×3, a b c×9", "b c"},
		{"it hears again", "abc×3, a bc×9, abc×2", ""},
		{"hearing one canary is not hearing again", "abc×3, a bc×9, abc, a bc", "a"},
		{"a blind one stays blind while the others are apart too", "ab×3, a b×9, -×9, a b×9", "b"},
		{"a broker that takes no message", "abc×3, -×99", ""},
		{"and then is divided", "abc×3, -×99, a bc×2", "a"},
		{"a link that is busy, or frozen", "abc×3, a>bc×99", ""},
		{"a node that cannot publish is heard by none, and hears", "abc×3, a<bc×99", ""},
		{"the other of two goes, and the first stays blind for a while", "ab×3, b a×9, b×9", "b"},
		{"but not for ever", "ab×3, b a×9, b×11", ""},
	} {
		t.Run(c.claim, func(t *testing.T) {
			s, links := newSight(), map[string]amqp.Link{}
			for _, round := range rounds(c.rounds) {
				play(s, links, round)
			}
			if got := strings.Join(slices.Sorted(maps.Keys(s.blind)), " "); got != c.blind {
				t.Errorf("blind are %q, want %q", got, c.blind)
			}
		})
	}
}

// rounds returns the rounds of a line, each as its groups.
func rounds(line string) (all [][]string) {
	for _, part := range strings.Split(line, ", ") {
		groups, times, _ := strings.Cut(part, "×")
		n := 1
		if times != "" {
			n = 0
			for _, digit := range times {
				n = n*10 + int(digit-'0')
			}
		}
		for range n {
			all = append(all, strings.Fields(groups))
		}
	}
	return all
}

// play is one round: the nodes that are named have a link.
func play(s *sight, links map[string]amqp.Link, groups []string) {
	if groups[0] != "-" {
		named := strings.Join(groups, "")
		for _, node := range strings.Split(strings.NewReplacer(">", "", "<", "").Replace(named), "") {
			if links[node] == nil {
				links[node] = &sightLink{address: node}
				s.add(links[node])
			}
		}
		for node, link := range links {
			if !strings.Contains(named, node) {
				s.remove(link)
				delete(links, node)
			}
		}
		for _, group := range groups {
			hearGroup(s, links, group)
		}
	}
	s.judge()
}

func hearGroup(s *sight, links map[string]amqp.Link, group string) {
	for node, link := range links {
		if !strings.Contains(group, node) || strings.Contains(group, node+">") {
			continue
		}
		for from := range links {
			if strings.Contains(group, from) && !strings.Contains(group, from+"<") {
				s.hear(link, from)
			}
		}
	}
}

// A link that alone of its node does not hear another node is no matter of the node.
func TestALinkMayBeDeafByItself(t *testing.T) {
	s := newSight()
	sound, deaf, other := &sightLink{address: "a"}, &sightLink{address: "a"}, &sightLink{address: "b"}
	for _, l := range []amqp.Link{sound, deaf, other} {
		s.add(l)
	}
	for range surely {
		for _, l := range []amqp.Link{sound, other} {
			s.hear(l, "a")
			s.hear(l, "b")
		}
		s.hear(deaf, "a")
		s.judge()
	}
	if got := s.deaf(); len(s.blind) != 0 || !slices.Equal(got, []amqp.Link{deaf}) {
		t.Errorf("blind %v, deaf %v", s.blind, got)
	}
}
