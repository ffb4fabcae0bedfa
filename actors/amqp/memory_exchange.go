package amqp

import (
	"errors"
	"strings"
)

// memoryExchange is an exchange of a Memory, guarded by its mu.
type memoryExchange struct {
	kind    string
	durable bool // one of the broker's own

	autoDelete bool // it is deleted with the last of its queues
	router     router
}

// unused reports whether no queue is bound to an exchange of the kind fanout.
func (x *memoryExchange) unused() bool {
	bound, fanout := x.router.(fanoutRouter)
	return fanout && len(bound) == 0
}

// router is what makes the kinds of exchange different. Binding twice is harmless, as is unbinding
// what is not bound.
type router interface {
	bind(pattern string, q *memoryQueue)
	unbind(pattern string, q *memoryQueue)
	route(routingKey string, to *targets)
}

// newRouter returns nil for an unknown kind.
func newRouter(kind string) router {
	switch kind {
	case "topic":
		return &topicRouter{}
	case "direct":
		return directRouter{}
	case "fanout":
		return fanoutRouter{}
	}
	return nil
}

// predeclared are the exchanges that every broker has.
func predeclared() map[string]*memoryExchange {
	exchanges := map[string]*memoryExchange{}
	for _, kind := range []string{"topic", "direct", "fanout"} {
		exchanges["amq."+kind] = &memoryExchange{kind: kind, durable: true, router: newRouter(kind)}
	}
	return exchanges
}

func reserved(name string) bool { return strings.HasPrefix(name, "amq.") }

func (m *Memory) permitted(queue string) bool { return strings.HasPrefix(queue, m.options.QueuePrefix) }

// bind routes what the binding matches to the queue. mu is held.
func (m *Memory) bind(q *memoryQueue, b Binding) *Error {
	for _, s := range []string{b.Exchange, b.Pattern} {
		if err := validShortString(s); err != nil {
			return refusal(FrameError, "bind", b.Exchange, "name %w", err)
		}
	}
	x := m.exchanges[b.Exchange]
	switch {
	case b.Exchange == "":
		return refusal(AccessRefused, "bind", "", "operation not permitted on the default exchange")
	case m.options.Readable != nil && !m.options.Readable(b.Exchange):
		return refusal(AccessRefused, "bind", b.Exchange, "access to exchange '%s' refused", b.Exchange)
	case m.options.EndsLink != nil && m.options.EndsLink(b.Exchange):
		return &Error{Kind: LinkLost, Code: InternalError, Op: "bind", Subject: b.Exchange, Cause: errors.New("INTERNAL_ERROR")}
	case x == nil:
		return refusal(NotFound, "bind", b.Exchange, "no exchange '%s'", b.Exchange)
	}
	q.bindings[b] = struct{}{}
	x.router.bind(b.Pattern, q)
	m.change()
	return nil
}

// targets collects the queues of one message, each once.
type targets struct {
	queues  []*memoryQueue
	message uint64 // counts the messages: a queue that bears it is in already
}

func (t *targets) reset() {
	clear(t.queues) // a deleted queue is not kept alive by this
	t.queues = t.queues[:0]
	t.message++
}

func (t *targets) add(q *memoryQueue) {
	if q.routed != t.message {
		q.routed = t.message
		t.queues = append(t.queues, q)
	}
}

// queueSet is a set of queues; nil is the empty set.
type queueSet map[*memoryQueue]struct{}

func (s queueSet) route(to *targets) {
	for q := range s {
		to.add(q)
	}
}

// fanoutRouter routes everything, once per binding pattern that holds the queue.
type fanoutRouter map[string]queueSet

func (r fanoutRouter) bind(pattern string, q *memoryQueue)   { directRouter(r).bind(pattern, q) }
func (r fanoutRouter) unbind(pattern string, q *memoryQueue) { directRouter(r).unbind(pattern, q) }

func (r fanoutRouter) route(_ string, to *targets) {
	for _, queues := range r {
		queues.route(to)
	}
}

// directRouter routes by equality.
type directRouter map[string]queueSet

func (r directRouter) bind(pattern string, q *memoryQueue) {
	if r[pattern] == nil {
		r[pattern] = queueSet{}
	}
	r[pattern][q] = struct{}{}
}

func (r directRouter) unbind(pattern string, q *memoryQueue) {
	delete(r[pattern], q)
	if len(r[pattern]) == 0 {
		delete(r, pattern)
	}
}

func (r directRouter) route(routingKey string, to *targets) { r[routingKey].route(to) }
