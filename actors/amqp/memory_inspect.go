package amqp

import (
	"context"
	"maps"
	"slices"
)

// Queues returns the names of all queues, sorted.
func (m *Memory) Queues() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.queues))
}

// Exchanges returns the names of all exchanges that were declared, sorted; the broker's own, such
// as amq.topic, are not among them.
func (m *Memory) Exchanges() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name, x := range m.exchanges {
		if !x.durable {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Consumers returns the number of consumers of all queues.
func (m *Memory) Consumers() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, q := range m.queues {
		n += q.consumerCount()
	}
	return n
}

// Channels returns the number of open channels of all links.
func (m *Memory) Channels() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.openChannels()
}

// Links returns the number of open links.
func (m *Memory) Links() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.links)
}

// Bindings returns the number of bindings of all queues.
func (m *Memory) Bindings() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := 0
	for _, q := range m.queues {
		n += len(q.bindings)
	}
	return n
}

// Await returns nil once condition returns true: it is called now and after every change of what
// exists (links, channels, consumers, queues, bindings, exchanges), by this goroutine, and may call
// the broker. When ctx ends first, Await returns the cause.
//
//	err := broker.Await(ctx, func() bool { return len(broker.Queues()) == 0 })
func (m *Memory) Await(ctx context.Context, condition func() bool) error {
	for {
		m.mu.Lock()
		changed := m.changed // before the condition: no change in between is missed
		m.mu.Unlock()
		if condition() {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
