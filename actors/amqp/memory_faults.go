package amqp

import (
	"errors"
	"time"
)

// What can go wrong with a broker, for tests and chaos scripts. Each of these has happened when the
// call returns.

// Stop ends the broker in order, as an operator does: every link is lost (320), dials are refused,
// and queues and exchanges, which are not durable, are removed.
func (m *Memory) Stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.thaw()
	m.down = true
	m.cut(ConnectionForced, errors.New("CONNECTION_FORCED - broker forced connection closure"))
	for _, q := range m.queues {
		m.deleteQueue(q)
	}
	m.exchanges = predeclared()
	m.change()
}

// Start brings a stopped broker back, empty. A closed one stays closed.
func (m *Memory) Start() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = m.closed
}

// Freeze leaves the broker's sockets open and silent, as a lost network does: a call that waits for
// an answer waits until Thaw, until its link is closed, or until the links are lost by the
// heartbeat of MemoryOptions.
func (m *Memory) Freeze() {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.thawed != nil || m.down {
		return
	}
	thawed := make(chan struct{})
	m.thawed = thawed
	m.frozen.Store(true)
	if m.options.Heartbeat > 0 {
		m.timeout = time.AfterFunc(m.options.Heartbeat*3/2, func() { m.missHeartbeats(thawed) })
	}
}

func (m *Memory) missHeartbeats(since chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.thawed == since { // not another freeze than the one that set the timer
		m.cut(FrameError, errFrozen)
	}
}

// Thaw lets a frozen broker go on where it stopped.
func (m *Memory) Thaw() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.thaw()
}

func (m *Memory) thaw() {
	if m.thawed == nil {
		return
	}
	if m.timeout != nil {
		m.timeout.Stop()
		m.timeout = nil
	}
	close(m.thawed)
	m.thawed = nil
	m.frozen.Store(false)
	for _, q := range m.queues {
		q.nudge()
	}
}

// LimitChannels lets the links together have at most so many channels, as a user's max-channels
// does: the next one ends its link with 530. 0 means no limit. Channels that are open stay.
func (m *Memory) LimitChannels(most int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.channels = most
}

// openChannels returns the number of channels of all links. mu is held.
func (m *Memory) openChannels() (n int) {
	for l := range m.links {
		n += len(l.channels)
	}
	return n
}

// DropLinks cuts every link without a reason, as a reset of the sockets does. Publishers go on.
func (m *Memory) DropLinks() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cut(FrameError, errors.New("EOF"))
}

// CloseChannels ends every channel and leaves the links alive.
func (m *Memory) CloseChannels() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for l := range m.links {
		for c := range l.channels {
			c.end(&Error{Kind: ChannelLost, Op: "channel", Cause: errors.New("closed by an administrator")})
		}
	}
}

// DeleteQueue removes a queue as an administrator does: its consumer is cancelled. It reports
// whether there was such a queue.
func (m *Memory) DeleteQueue(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	q := m.queues[name]
	if q == nil {
		return false
	}
	m.deleteQueue(q)
	return true
}

// LimitQueues sets a policy of the broker's operator: every queue drops its oldest messages past so
// many, in silence unless the queue has an exchange for dead letters. 0 takes the policy back.
func (m *Memory) LimitQueues(messages int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.policyLength = messages
}

// BlockPublishers keeps canaries that are sent over links, as a broker with an alarm for memory or
// disk does, until it is called with false. Publishers go on.
func (m *Memory) BlockPublishers(block bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.blocked = block; block {
		return
	}
	for _, message := range m.held {
		m.publish(message)
	}
	m.held = nil
}
