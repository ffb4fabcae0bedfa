package amqp

import (
	"context"
	"errors"
	"maps"
	"math/rand/v2"
	"slices"
)

// memoryNode is one address of a Memory, guarded by its mu.
type memoryNode struct {
	down  bool          // dials are refused
	muted chan struct{} // dials are not answered until it is closed; nil: they are
	alone bool          // no message passes between it and the others
}

func newMemoryNodes(addresses []string) map[string]*memoryNode {
	nodes := map[string]*memoryNode{}
	for _, address := range addresses {
		nodes[address] = &memoryNode{}
	}
	return nodes
}

// Addresses returns MemoryOptions.Nodes without repetitions, sorted.
func (m *Memory) Addresses(context.Context) []string { return slices.Sorted(maps.Keys(m.nodes)) }

// Dial opens a link to one of the nodes that are up, chosen at random. It fails while the broker or
// every node is stopped, and after DialTimeout while it is frozen or every node is mute.
func (m *Memory) Dial(ctx context.Context) (Link, error) {
	return m.DialWhere(ctx, func(string) bool { return true })
}

// DialWhere opens a link to a node for which may returns true, as Dial does.
func (m *Memory) DialWhere(ctx context.Context, may func(address string) bool) (Link, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, DialTimeout, errFrozen)
	defer cancel()
	candidates := slices.DeleteFunc(m.Addresses(ctx), func(address string) bool { return !may(address) })
	if len(candidates) == 0 {
		return nil, linkLost("dial", "", ErrNoAddress)
	}
	rand.Shuffle(len(candidates), func(i, j int) { candidates[i], candidates[j] = candidates[j], candidates[i] })
	for {
		if err := m.answering(ctx.Done()); err != nil {
			return nil, linkLost("dial", "", context.Cause(ctx))
		}
		l, muted, err := m.tryDial(candidates)
		if muted == nil {
			if err != nil { // not a nil *memoryLink in an interface
				return nil, err
			}
			return l, nil
		}
		select {
		case <-muted:
		case <-ctx.Done():
			return nil, linkLost("dial", "", context.Cause(ctx))
		}
	}
}

// tryDial opens a link to the first candidate that is up. Where there is none but a mute one, it
// returns a channel that is closed when that node answers again.
func (m *Memory) tryDial(candidates []string) (_ *memoryLink, muted <-chan struct{}, _ error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, address := range candidates {
		switch node := m.nodes[address]; {
		case m.down || node.down:
		case node.muted != nil:
			muted = node.muted
		default:
			l := &memoryLink{broker: m, address: address, lost: make(chan struct{}), channels: map[*memoryChannel]struct{}{}}
			m.links[l] = struct{}{}
			m.change()
			return l, nil, nil
		}
	}
	return nil, muted, linkLost("dial", "", errDown)
}

// StopNode takes one of MemoryOptions.Nodes down: its links are lost (320), with their exclusive
// queues, and dials to it are refused. Links to other nodes go on. It reports whether there is such
// a node.
func (m *Memory) StopNode(address string) bool {
	return m.onNode(address, func(n *memoryNode) {
		n.answer()
		n.down = true
		for l := range m.links {
			if l.address == address {
				l.end(&Error{Kind: LinkLost, Code: ConnectionForced, Op: "link", Subject: address, Cause: errors.New("CONNECTION_FORCED - broker forced connection closure")})
			}
		}
	})
}

// MuteNode leaves dials to one of MemoryOptions.Nodes without an answer, as a machine does that
// takes connections and hangs. Its links go on. It reports whether there is such a node.
func (m *Memory) MuteNode(address string) bool {
	return m.onNode(address, func(n *memoryNode) {
		if n.muted == nil {
			n.muted = make(chan struct{})
		}
	})
}

// IsolateNode leaves one of MemoryOptions.Nodes alone, as a partition of a RabbitMQ cluster does
// under cluster_partition_handling = ignore: its links and dials to it go on, but what is published
// on one side reaches no queue of the other. A Publisher is with the others. It reports whether
// there is such a node.
func (m *Memory) IsolateNode(address string) bool {
	return m.onNode(address, func(n *memoryNode) { n.alone = true })
}

// side returns on which side of a partition a node is: with the others, which is "", or alone. mu is
// held.
func (m *Memory) side(address string) string {
	if m.nodes[address].alone {
		return address
	}
	return ""
}

// StartNode ends what StopNode, MuteNode and IsolateNode did. It reports whether there is such a
// node.
func (m *Memory) StartNode(address string) bool {
	return m.onNode(address, func(n *memoryNode) {
		n.down, n.alone = false, false
		n.answer()
	})
}

func (n *memoryNode) answer() {
	if n.muted != nil {
		close(n.muted)
		n.muted = nil
	}
}

func (m *Memory) onNode(address string, do func(*memoryNode)) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := m.nodes[address]
	if n != nil {
		do(n)
	}
	return n != nil
}
