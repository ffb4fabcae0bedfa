package actors_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// recorder is a Dialer that passes everything on, writes it down, and asks a
// hook before each call: the hook may wait, fail the call, or panic.
type recorder struct {
	t    *testing.T
	next amqp.Dialer
	hook atomic.Pointer[func(call) error]

	mu       sync.Mutex
	calls    []call
	channels []*recordedChannel
	within   map[string]int // calls of an op that are under way
	most     map[string]int // and the most there ever were
}

// call is one call into the port. A channel is numbered from 1 in the order of
// opening; the call that opens it has the number 0.
type call struct {
	op      string
	channel int
	subject string
	tag     uint64
}

func newRecorder(t *testing.T, next amqp.Dialer) *recorder {
	return &recorder{t: t, next: next, within: map[string]int{}, most: map[string]int{}}
}

// before sets the hook.
func (r *recorder) before(hook func(call) error) { r.hook.Store(&hook) }

func (r *recorder) begin(c call) error {
	r.mu.Lock()
	r.calls = append(r.calls, c)
	r.within[c.op]++
	r.most[c.op] = max(r.most[c.op], r.within[c.op])
	r.mu.Unlock()
	if hook := r.hook.Load(); hook != nil {
		return (*hook)(c)
	}
	return nil
}

func (r *recorder) end(op string) {
	r.mu.Lock()
	r.within[op]--
	r.mu.Unlock()
}

// under returns how many calls of an op are under way, atMost how many ever were.
func (r *recorder) under(op string) int  { r.mu.Lock(); defer r.mu.Unlock(); return r.within[op] }
func (r *recorder) atMost(op string) int { r.mu.Lock(); defer r.mu.Unlock(); return r.most[op] }

// all returns how many calls there were.
func (r *recorder) all() int { r.mu.Lock(); defer r.mu.Unlock(); return len(r.calls) }

// count counts the calls of an op.
func (r *recorder) count(op string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, c := range r.calls {
		if c.op == op {
			n++
		}
	}
	return n
}

// of returns a channel's calls so far, but for next.
func (r *recorder) of(channel int) (ops []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.channel == channel && c.op != "next" {
			ops = append(ops, c.op)
		}
	}
	return ops
}

// subjects returns what the calls of an op were about, in order.
func (r *recorder) subjects(op string) (subjects []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.op == op {
			subjects = append(subjects, c.subject)
		}
	}
	return subjects
}

// acknowledged returns the tags that a channel acknowledged, in order.
func (r *recorder) acknowledged(channel int) (tags []uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.calls {
		if c.channel == channel && c.op == "acknowledge" {
			tags = append(tags, c.tag)
		}
	}
	return tags
}

// check fails the test unless every channel was closed exactly once, and not
// used after that.
func (r *recorder) check() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, c := range r.channels {
		if n := c.closes.Load(); n != 1 {
			r.t.Errorf("channel %d of %d was closed %d times", i+1, len(r.channels), n)
		}
		if c.late.Load() {
			r.t.Errorf("channel %d was used after its close", i+1)
		}
		if c.shared.Load() {
			r.t.Errorf("channel %d was called concurrently", i+1)
		}
	}
}

// Dial dials, recorded.
func (r *recorder) Dial(ctx context.Context) (amqp.Link, error) {
	defer r.end("dial")
	if err := r.begin(call{op: "dial"}); err != nil {
		return nil, err
	}
	link, err := r.next.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &recordedLink{Link: link, r: r}, nil
}

type recordedLink struct {
	amqp.Link
	r *recorder
}

func (l *recordedLink) Close(patience time.Duration) error {
	defer l.r.end("close link")
	err := l.Link.Close(patience)
	_ = l.r.begin(call{op: "close link"})
	return err
}

func (l *recordedLink) Channel() (amqp.Channel, error) {
	defer l.r.end("channel")
	if err := l.r.begin(call{op: "channel"}); err != nil {
		return nil, err
	}
	channel, err := l.Link.Channel()
	if err != nil {
		return nil, err
	}
	l.r.mu.Lock()
	defer l.r.mu.Unlock()
	c := &recordedChannel{next: channel, r: l.r, number: len(l.r.channels) + 1}
	l.r.channels = append(l.r.channels, c)
	return c, nil
}

type recordedChannel struct {
	next   amqp.Channel
	r      *recorder
	number int
	closes atomic.Int64
	late   atomic.Bool
	busy   atomic.Bool
	shared atomic.Bool
}

// perform records a call and does it unless the hook fails it.
func (c *recordedChannel) perform(op, subject string, tag uint64, do func() error) error {
	if c.closes.Load() > 0 {
		c.late.Store(true)
	}
	if c.busy.Swap(true) {
		c.shared.Store(true)
	}
	defer c.busy.Store(false)
	defer c.r.end(op)
	if err := c.r.begin(call{op: op, channel: c.number, subject: subject, tag: tag}); err != nil {
		return err
	}
	return do()
}

func (c *recordedChannel) Declare(queue string, limits amqp.QueueLimits) error {
	return c.perform("declare", queue, 0, func() error { return c.next.Declare(queue, limits) })
}

func (c *recordedChannel) Bind(queue string, b amqp.Binding) error {
	return c.perform("bind", b.Exchange, 0, func() error { return c.next.Bind(queue, b) })
}

func (c *recordedChannel) Consume(queue string, prefetch int) error {
	return c.perform("consume", queue, 0, func() error { return c.next.Consume(queue, prefetch) })
}

func (c *recordedChannel) Next(wake <-chan struct{}) (d *amqp.Delivery, err error) {
	err = c.perform("next", "", 0, func() (err error) { d, err = c.next.Next(wake); return err })
	return d, err
}

func (c *recordedChannel) Acknowledge(tag uint64) error {
	return c.perform("acknowledge", "", tag, func() error { return c.next.Acknowledge(tag) })
}

func (c *recordedChannel) Depth(queue string) (n int, err error) {
	err = c.perform("depth", queue, 0, func() (err error) { n, err = c.next.Depth(queue); return err })
	return n, err
}

func (c *recordedChannel) Delete(queue string) error {
	return c.perform("delete", queue, 0, func() error { return c.next.Delete(queue) })
}

// Close closes whatever the hook says: a failing close closes all the same.
func (c *recordedChannel) Close() error {
	err := c.next.Close()
	defer c.closes.Add(1)
	return c.perform("close", "", 0, func() error { return err })
}
