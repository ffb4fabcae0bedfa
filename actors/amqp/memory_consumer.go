package amqp

import "sync/atomic"

// memoryConsumer is the consumer of a channel: the window of deliveries that are not acknowledged.
// The lock of its queue guards it.
//
//	window:  [ 7 8 9 | 10 11 ]      tags; first = 7, given = 3, prefetch = 5
//	           given   arrived
type memoryConsumer struct {
	queue    *memoryQueue
	prefetch int
	window   fifo[entry]
	first    uint64 // tag of the window's front
	given    int    // how many of the window Next has returned
	err      *Error // why no delivery will ever come; nil while there may be some

	arrived chan struct{} // room for one: something is to be taken, or err is set
}

func newMemoryConsumer(q *memoryQueue, prefetch int) *memoryConsumer {
	return &memoryConsumer{queue: q, prefetch: prefetch, first: 1, arrived: make(chan struct{}, 1)}
}

func (c *memoryConsumer) hasRoom() bool { return c.window.len() < c.prefetch }

// offer puts a message into the window, which must have room.
func (c *memoryConsumer) offer(e entry) {
	c.window.push(e)
	c.nudge()
}

func (c *memoryConsumer) nudge() {
	select {
	case c.arrived <- struct{}{}:
	default: // it is awake already
	}
}

// end makes Next fail, with the first error that it is called with.
func (c *memoryConsumer) end(err *Error) {
	if c.err == nil {
		c.err = err
	}
	c.nudge()
}

// take returns the next delivery of the window; nil where there is none.
func (c *memoryConsumer) take(frozen *atomic.Bool) (*Delivery, error) {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	switch {
	case c.err != nil:
		return nil, c.err
	case frozen.Load() || c.given == c.window.len():
		return nil, nil
	}
	e := c.window.at(c.given)
	tag := c.first + uint64(c.given)
	c.given++
	d := e.message.delivery(tag, e.redelivered)
	return &d, nil
}

// acknowledge removes the deliveries up to tag and makes room for others. It reports whether tag
// names one that was returned by take and not acknowledged.
func (c *memoryConsumer) acknowledge(tag uint64) bool {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	if tag < c.first || tag >= c.first+uint64(c.given) {
		return false // or the channel is gone, and with it the window
	}
	for c.first <= tag {
		c.window.pop()
		c.first++
		c.given--
	}
	c.queue.dispatch()
	return true
}
