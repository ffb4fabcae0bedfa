package amqp

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// MemoryOptions bound a Memory; the zero value is a broker that allows everything RabbitMQ allows
// in its default settings.
type MemoryOptions struct {
	MessageBytes    int           // a larger body is refused with 406; default 128 MiB, as RabbitMQ
	Queues          int           // queues in all, the next is refused with 406; 0: no limit
	ChannelsPerLink int           // the next is Exhausted; default 2047, as RabbitMQ
	Heartbeat       time.Duration // links of a frozen broker are lost after 1.5 of them; 0: never

	// QueuePrefix is what the name of every queue must start with; others are refused with 403, as
	// Pulse does. Empty: any name.
	QueuePrefix string

	// Readable reports whether an exchange may be bound; if not, Bind is refused with 403. It is
	// called with the broker's lock held: it must not call the broker. Nil: all are readable.
	Readable func(exchange string) bool

	// EndsLink reports whether the broker answers a bind to an exchange by ending the link with
	// 541, as RabbitMQ does for an exchange of the type x-jms-topic. It is called as Readable is.
	// Nil: none does.
	EndsLink func(exchange string) bool

	// Nodes are the addresses of a cluster's nodes, which have all exchanges and queues in common:
	// see StopNode. Default: one, "memory".
	Nodes []string
}

func (o MemoryOptions) withDefaults() MemoryOptions {
	if o.MessageBytes == 0 {
		o.MessageBytes = 128 << 20
	}
	if o.ChannelsPerLink == 0 {
		o.ChannelsPerLink = 2047
	}
	if len(o.Nodes) == 0 {
		o.Nodes = []string{"memory"}
	}
	return o
}

// Memory is a broker in this process: the default of the demo, of embedding programs and of tests.
// It does what RabbitMQ does with the same calls, refusals included, and has no goroutine of its
// own. Its methods may be called concurrently. When Publish has returned, the message is in every
// queue.
//
// Two kinds of lock: mu guards the topology (what exists and how it is bound), each queue's own
// lock its messages. A queue's lock may be taken while mu is held, never the other way round;
// consumers at work take the lock of their queue only.
type Memory struct {
	options MemoryOptions

	mu        sync.Mutex
	down      bool // Stop or Close
	closed    bool
	nodes     map[string]*memoryNode
	exchanges map[string]*memoryExchange
	queues    map[string]*memoryQueue
	channels  int // the most of all links together; 0: no limit
	links     map[*memoryLink]struct{}
	thawed    chan struct{} // closed by Thaw; nil while not frozen
	timeout   *time.Timer   // of the heartbeat, while frozen
	changed   chan struct{} // closed at the next change of topology
	routing   targets       // scratch of Publish

	policyLength int // see LimitQueues; 0: no limit

	blocked bool             // see BlockPublishers
	held    []*memoryMessage // canaries that were sent meanwhile

	frozen atomic.Bool // thawed != nil, for consumers, which do without mu
}

var (
	_ Cluster    = (*Memory)(nil)
	_ Publishing = (*Memory)(nil)
)

// NewMemory starts a broker. It takes at most one MemoryOptions; none is the zero value.
func NewMemory(options ...MemoryOptions) *Memory {
	m := &Memory{queues: map[string]*memoryQueue{}, links: map[*memoryLink]struct{}{}, changed: make(chan struct{})}
	if len(options) > 0 {
		m.options = options[0]
	}
	m.options = m.options.withDefaults()
	m.nodes = newMemoryNodes(m.options.Nodes)
	m.exchanges = predeclared()
	return m
}

var (
	errDown   = errors.New("connection refused: the broker is stopped")
	errFrozen = errors.New("i/o timeout: the broker does not answer")
)

// Publisher opens a publisher, which is not counted as a link.
func (m *Memory) Publisher(ctx context.Context) (Publisher, error) {
	p := &memoryPublisher{broker: m}
	if err := p.usable(ctx, "open publisher", ""); err != nil {
		return nil, err
	}
	defer m.mu.Unlock()
	return p, nil
}

// Close ends the broker for good, and every link with it. It returns nil. Further calls do nothing.
func (m *Memory) Close() error {
	m.Stop()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// answering waits until the broker is not frozen; it fails when givenUp is closed before.
func (m *Memory) answering(givenUp <-chan struct{}) error {
	for m.frozen.Load() {
		m.mu.Lock()
		thawed := m.thawed
		m.mu.Unlock()
		if thawed == nil {
			break
		}
		select {
		case <-thawed:
		case <-givenUp:
			return errFrozen
		}
	}
	return nil
}

// change wakes the calls of Await: the topology has changed. mu is held.
func (m *Memory) change() {
	close(m.changed)
	m.changed = make(chan struct{})
}

// cut ends every link with the cause. mu is held.
func (m *Memory) cut(code int, cause error) {
	for l := range m.links {
		l.end(&Error{Kind: LinkLost, Code: code, Op: "link", Cause: cause})
	}
}

func linkLost(op, subject string, cause error) *Error {
	return &Error{Kind: LinkLost, Op: op, Subject: subject, Cause: cause}
}
