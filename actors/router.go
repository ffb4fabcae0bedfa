package actors

import (
	"iter"
	"maps"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// router answers, for the messages of topic exchanges, the question that a
// broker answers for its queues: which streams want this one? It is a trie per
// exchange, whose edges are the words of patterns:
//
//	a.*.c → s, a.# → t         message with the key a.b.c
//
//	exchange ─ a ─┬─ * ─ c: s  {exchange} –a→ {a, #} –b→ {*} –c→ {c}
//	              └─ #: t      t is wanted as soon as # is reached, s at the end
//
// The work for a key is bounded by its words times the nodes of the exchange's
// trie, whatever the patterns are; following one branch after the other would
// cost exponential time for #.a.#.a.#, and every client may send such patterns.
//
// It is called so, by the hub of the routed feed:
//
//	insert(stream, bindings)             a stream attaches: all its bindings at once, no broker is asked
//	match(d.Exchange, d.RoutingKey, d.CC)  a delivery, before it is decoded; empty: acknowledge it and forget it,
//	                                     else encode it once and offer it to each stream of the result
//	remove(stream)                       a stream detaches or has ended
//	on(exchange)                         the exchange is gone: these streams end
//	all()                                how many streams are behind?
//
// Which exchanges are routed at all is its owner's business: an exchange
// without a pattern matches nothing. The zero router is not usable, see
// newRouter. A router must not be used concurrently, and match changes it too:
// the worker matches while the feed actor inserts and removes, so their hub
// holds one mutex over every call.
type router struct {
	exchanges map[string]*routerNode // the first level: where the patterns of an exchange begin
	streams   map[*Stream]*routed
	patterns  int // distinct ones, per exchange

	message uint64        // counts the messages: what bears it is wanted already
	step    uint64        // counts the words of all keys: a node that bears it is reached already
	here    []*routerNode // reached with the words so far
	there   []*routerNode // reached with the next one
	wanted  []*Stream     // the last result
}

// routed is a stream's entry in the router.
type routed struct {
	stream  *Stream
	places  []place // one for each of its bindings
	message uint64  // the last that it wanted
}

// place is where one of a stream's patterns ends.
type place struct {
	node *routerNode
	at   int // its index in node.members
}

// member is a stream at the node where one of its patterns ends.
type member struct {
	*routed
	place int // the index in routed.places
}

func newRouter() *router {
	return &router{exchanges: map[string]*routerNode{}, streams: map[*Stream]*routed{}}
}

// insert adds a stream with its bindings, of which at least one must be given.
// A stream that is in already stays as it is.
func (r *router) insert(s *Stream, bindings []amqp.Binding) {
	if r.streams[s] != nil {
		return
	}
	e := &routed{stream: s, places: make([]place, 0, len(bindings))}
	r.streams[s] = e
	for _, b := range bindings {
		n := r.grow(b)
		if len(n.members) == 0 {
			r.patterns++
		}
		e.places = append(e.places, place{n, len(n.members)})
		n.members = append(n.members, member{e, len(e.places) - 1})
	}
}

// grow returns the node where the pattern ends, which it makes if need be.
func (r *router) grow(b amqp.Binding) *routerNode {
	n := r.exchanges[b.Exchange]
	if n == nil {
		n = &routerNode{word: b.Exchange}
		r.exchanges[b.Exchange] = n
	}
	word, words := "", b.Pattern
	for more := words != ""; more; {
		word, words, more = strings.Cut(words, ".")
		n = n.grow(word)
	}
	return n
}

// remove takes a stream out, with all its bindings; one that is not in is
// ignored. The result of the last match is no longer valid.
func (r *router) remove(s *Stream) {
	e := r.streams[s]
	if e == nil {
		return
	}
	delete(r.streams, s)
	for _, p := range e.places {
		n := p.node
		last := len(n.members) - 1
		moved := n.members[last]
		n.members[p.at] = moved
		moved.places[moved.place].at = p.at
		n.members[last] = member{}
		n.members = n.members[:last]
		if last == 0 {
			r.patterns--
			r.prune(n)
		}
	}
	r.forget() // it may name the stream
}

// prune removes a node, and the path to it, as far as no pattern needs it.
func (r *router) prune(n *routerNode) {
	for len(n.members) == 0 && n.leaf() {
		if n.parent == nil {
			delete(r.exchanges, n.word)
			return
		}
		n.parent.cut(n)
		n = n.parent
	}
}

// match returns the streams that want a message of the exchange with this
// routing key and these further keys (the header CC), each once, in no
// particular order; none: nil or empty. The result is valid until the next call
// of any method.
func (r *router) match(exchange, routingKey string, cc []string) []*Stream {
	r.forget()
	n := r.exchanges[exchange]
	if n == nil {
		return nil
	}
	r.message++
	r.follow(n, routingKey)
	for _, key := range cc {
		r.follow(n, key)
	}
	return r.wanted
}

// forget empties the last result, so that it keeps no stream alive.
func (r *router) forget() {
	clear(r.wanted)
	r.wanted = r.wanted[:0]
}

// follow collects the streams that want one key. Words are counted as RabbitMQ
// counts them: an empty key has none, while "a." has two, the second of them empty.
func (r *router) follow(from *routerNode, key string) {
	r.next()
	r.reach(from)
	r.here, r.there = r.there, r.here
	word := ""
	for more := key != ""; more && len(r.here) > 0; {
		word, key, more = strings.Cut(key, ".")
		r.next()
		for _, n := range r.here {
			r.reach(n.literal(word))
			r.reach(n.any)
			if n.hash {
				r.reach(n) // it takes this word too
			}
		}
		r.here, r.there = r.there, r.here
	}
	for _, n := range r.here {
		r.want(n)
	}
}

func (r *router) next() {
	r.step++
	r.there = r.there[:0]
}

// reach adds a node, and the one behind a # that takes no word. What ends in #
// is wanted whatever else the key holds, and followed only if more comes after it.
func (r *router) reach(n *routerNode) {
	for n != nil && n.reached != r.step {
		n.reached = r.step
		if n.hash {
			r.want(n)
		}
		if !n.hash || !n.leaf() {
			r.there = append(r.there, n)
		}
		n = n.rest
	}
}

// want adds the streams whose pattern ends here to the result.
func (r *router) want(n *routerNode) {
	if n.message == r.message {
		return
	}
	n.message = r.message
	for _, m := range n.members {
		if m.message != r.message {
			m.message = r.message
			r.wanted = append(r.wanted, m.stream)
		}
	}
}

// on returns the streams that have a binding on the exchange. It looks at every
// stream, and is for the rare end of an exchange's routing.
func (r *router) on(exchange string) []*Stream {
	var streams []*Stream
	for s, e := range r.streams {
		for _, p := range e.places {
			if p.node.exchange() == exchange {
				streams = append(streams, s)
				break
			}
		}
	}
	return streams
}

// all iterates over the streams, which must not be inserted or removed meanwhile.
func (r *router) all() iter.Seq[*Stream] { return maps.Keys(r.streams) }
