package amqp

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// memoryQueue is a queue of a Memory. Its upper fields are guarded by the broker's mu, the lower
// ones by its own.
type memoryQueue struct {
	name      string
	owner     *memoryLink // it is exclusive to this link
	maxLength int
	dropTo    string // the exchange of what is dropped; empty: none
	bindings  map[Binding]struct{}
	expiry    *time.Timer // x-expires: runs until a consumer comes; nil then
	routed    uint64      // the last message that was routed here, see targets

	mu        sync.Mutex
	ready     fifo[entry]
	sequence  uint64 // of the last message that came
	consumers []*memoryConsumer
	turn      int // whose turn it is, among several consumers
	deleted   bool
}

// entry is a message in one queue.
type entry struct {
	message     *memoryMessage
	sequence    uint64
	redelivered bool
}

// declareQueue makes the queue, or finds it as it is to be. mu is held.
func (m *Memory) declareQueue(owner *memoryLink, name string, limits QueueLimits) *Error {
	arguments := QueueArguments(name, limits)
	maxLength := int(arguments["x-max-length"].(int64))
	expires := time.Duration(arguments["x-expires"].(int64)) * time.Millisecond
	q, err := m.ownQueue(owner, "declare", name)
	switch {
	case err == nil && q.maxLength != maxLength:
		return refusal(PreconditionFailed, "declare", name, "inequivalent arg 'x-max-length'")
	case err == nil:
		return nil
	case err.Code != NotFound:
		return err
	case reserved(name):
		return refusal(AccessRefused, "declare", name, "queue name contains reserved prefix 'amq.*'")
	case maxLength < 0:
		return refusal(PreconditionFailed, "declare", name, "invalid arg 'x-max-length': %d", maxLength)
	case m.options.Queues > 0 && len(m.queues) >= m.options.Queues:
		return refusal(PreconditionFailed, "declare", name, "the limit of %d queues is reached", m.options.Queues)
	}
	q = &memoryQueue{name: name, owner: owner, maxLength: maxLength, dropTo: limits.DeadLetters, bindings: map[Binding]struct{}{}}
	q.expiry = time.AfterFunc(expires, func() { m.expire(q) })
	m.queues[name] = q
	m.change()
	return nil
}

// ownQueue returns a queue that the link may use. mu is held.
func (m *Memory) ownQueue(l *memoryLink, op, name string) (*memoryQueue, *Error) {
	if err := validShortString(name); err != nil {
		return nil, refusal(FrameError, op, name, "queue name %w", err)
	}
	if !m.permitted(name) {
		return nil, refusal(AccessRefused, op, name, "access to queue '%s' refused", name)
	}
	q := m.queues[name]
	switch {
	case q == nil:
		return nil, refusal(NotFound, op, name, "no queue '%s'", name)
	case q.owner != l:
		return nil, refusal(ResourceLocked, op, name, "cannot obtain exclusive access to locked queue '%s'", name)
	}
	return q, nil
}

// deleteQueue removes a queue: its consumers are cancelled. mu is held.
func (m *Memory) deleteQueue(q *memoryQueue) {
	if m.queues[q.name] != q {
		return
	}
	delete(m.queues, q.name)
	q.stopExpiry()
	for b := range q.bindings {
		x := m.exchanges[b.Exchange]
		if x.router.unbind(b.Pattern, q); x.autoDelete && x.unused() {
			delete(m.exchanges, b.Exchange)
		}
	}
	clear(q.bindings)
	q.empty()
	m.change()
}

func (m *Memory) expire(q *memoryQueue) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if q.expiry != nil { // no consumer came while the timer went off
		m.deleteQueue(q)
	}
}

// stopExpiry releases the timer as well: thousands of queues never need it again.
func (q *memoryQueue) stopExpiry() {
	if q.expiry != nil {
		q.expiry.Stop()
		q.expiry = nil
	}
}

// empty drops all messages and ends the consumers. What they hold may still be acknowledged,
// without effect.
func (q *memoryQueue) empty() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deleted = true
	q.ready = fifo[entry]{}
	for _, c := range q.consumers {
		c.end(&Error{Kind: Cancelled, Op: "next", Subject: q.name})
	}
	q.consumers = nil
}

// attach adds a consumer, which gets messages from now on.
func (q *memoryQueue) attach(c *memoryConsumer) {
	q.stopExpiry()
	q.mu.Lock()
	defer q.mu.Unlock()
	q.consumers = append(q.consumers, c)
	q.dispatch()
}

// setPrefetch makes room for more deliveries to a consumer, or for fewer once some are
// acknowledged.
func (q *memoryQueue) setPrefetch(c *memoryConsumer, prefetch int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.prefetch = prefetch
	q.dispatch()
}

// detach ends a consumer and takes back what it holds, marked as redelivered. It reports whether it
// was the last one.
func (q *memoryQueue) detach(c *memoryConsumer, err *Error) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	c.end(err)
	if !q.holds(c) {
		return false // the queue was deleted before
	}
	q.consumers = slices.DeleteFunc(q.consumers, func(other *memoryConsumer) bool { return other == c })
	q.requeue(c)
	q.dispatch()
	return len(q.consumers) == 0
}

// requeue puts the consumer's window back to the places where it came from.
func (q *memoryQueue) requeue(c *memoryConsumer) {
	var entries []entry
	for c.window.len() > 0 {
		e := c.window.pop()
		e.redelivered = true
		entries = append(entries, e)
	}
	c.given = 0
	for q.ready.len() > 0 {
		entries = append(entries, q.ready.pop())
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.sequence, b.sequence) })
	for _, e := range entries {
		q.ready.push(e)
	}
}

// push adds a message at the end. Past the queue's limit, or the policy's where that is lower (0:
// there is none), the oldest that wait are dropped and returned.
func (q *memoryQueue) push(m *memoryMessage, policy int) (dropped []*memoryMessage) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.deleted {
		return nil
	}
	q.sequence++
	q.ready.push(entry{message: m, sequence: q.sequence})
	q.dispatch()
	limit := q.maxLength
	if policy > 0 {
		limit = min(limit, policy)
	}
	for q.ready.len() > limit {
		dropped = append(dropped, q.ready.pop().message)
	}
	return dropped
}

// dispatch hands waiting messages to consumers with room, in turn. The queue's lock is held.
func (q *memoryQueue) dispatch() {
	for q.ready.len() > 0 {
		c := q.withRoom()
		if c == nil {
			return
		}
		c.offer(q.ready.pop())
	}
}

func (q *memoryQueue) withRoom() *memoryConsumer {
	for range q.consumers {
		q.turn = (q.turn + 1) % len(q.consumers)
		if c := q.consumers[q.turn]; c.hasRoom() {
			return c
		}
	}
	return nil
}

func (q *memoryQueue) holds(c *memoryConsumer) bool { return slices.Contains(q.consumers, c) }

func (q *memoryQueue) depth() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.ready.len()
}

func (q *memoryQueue) consumerCount() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.consumers)
}

// nudge makes every consumer look again.
func (q *memoryQueue) nudge() {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range q.consumers {
		c.nudge()
	}
}
