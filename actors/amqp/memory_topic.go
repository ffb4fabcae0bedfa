package amqp

import (
	"iter"
	"strings"
)

// topicRouter is a trie of patterns, word by word, in which a routing key is followed along all
// matching branches at once:
//
//	patterns a.*.c, a.#        key a.b.c
//
//	root ─ a ─ * ─ c           {root} –a→ {a, #} –b→ {*, #} –c→ {c, #}
//	       └── #               both patterns end in the last set
//
// The work for a key is bounded by its words times the nodes of the trie, whatever the patterns
// are. Following the branches one after the other would cost exponential time for #.a.#.a.#.a, and
// any client may send such bindings.
type topicRouter struct {
	root  topicNode
	step  uint64       // counts the words of all keys: a node that bears it is reached already
	here  []*topicNode // reached with the words so far
	there []*topicNode // reached with the next one
}

// topicNode stands for a sequence of pattern words: the path from the root.
type topicNode struct {
	parent  *topicNode
	word    string                // the last of them
	words   map[string]*topicNode // the next, but for * and #
	any     *topicNode            // the next is *
	rest    *topicNode            // the next is #
	queues  queueSet              // bound with the pattern that ends here
	reached uint64
}

func (t *topicRouter) bind(pattern string, q *memoryQueue) {
	n := &t.root
	for word := range topicWords(pattern) {
		n = n.grow(word)
	}
	if n.queues == nil {
		n.queues = queueSet{}
	}
	n.queues[q] = struct{}{}
}

func (t *topicRouter) unbind(pattern string, q *memoryQueue) {
	n := &t.root
	for word := range topicWords(pattern) {
		if n = n.child(word); n == nil {
			return
		}
	}
	delete(n.queues, q)
	n.prune()
}

func (t *topicRouter) route(routingKey string, to *targets) {
	t.begin()
	t.reach(&t.root)
	t.here, t.there = t.there, t.here
	for word := range topicWords(routingKey) {
		t.begin()
		for _, n := range t.here {
			t.follow(n, word)
		}
		t.here, t.there = t.there, t.here
		if len(t.here) == 0 {
			return
		}
	}
	for _, n := range t.here {
		n.queues.route(to)
	}
}

func (t *topicRouter) begin() {
	t.step++
	t.there = t.there[:0]
}

// follow reaches every node that one more word leads to.
func (t *topicRouter) follow(n *topicNode, word string) {
	t.reach(n.words[word])
	t.reach(n.any)
	if n.word == "#" {
		t.reach(n) // it takes this word too
	}
}

// reach adds a node, and the one behind a # that takes no word.
func (t *topicRouter) reach(n *topicNode) {
	for n != nil && n.reached != t.step {
		n.reached = t.step
		t.there = append(t.there, n)
		n = n.rest
	}
}

func (n *topicNode) child(word string) *topicNode {
	switch word {
	case "*":
		return n.any
	case "#":
		return n.rest
	}
	return n.words[word]
}

// grow returns the child, which it makes where there is none.
func (n *topicNode) grow(word string) *topicNode {
	if c := n.child(word); c != nil {
		return c
	}
	c := &topicNode{parent: n, word: word}
	switch word {
	case "*":
		n.any = c
	case "#":
		n.rest = c
	default:
		if n.words == nil {
			n.words = map[string]*topicNode{}
		}
		n.words[word] = c
	}
	return c
}

// prune removes the node, and the path to it, as far as no pattern needs it.
func (n *topicNode) prune() {
	for n.parent != nil && len(n.queues) == 0 && len(n.words) == 0 && n.any == nil && n.rest == nil {
		switch p := n.parent; n {
		case p.any:
			p.any = nil
		case p.rest:
			p.rest = nil
		default:
			delete(p.words, n.word)
		}
		n = n.parent
	}
}

// topicWords returns the words between the dots, as RabbitMQ counts them: an empty name has none,
// while "a." has two, the second of them empty.
func topicWords(name string) iter.Seq[string] {
	return func(yield func(string) bool) {
		if name == "" {
			return
		}
		for word := range strings.SplitSeq(name, ".") {
			if !yield(word) {
				return
			}
		}
	}
}
