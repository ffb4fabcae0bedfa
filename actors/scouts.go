package actors

import (
	"cmp"
	"errors"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// scouts try what a broker may answer by ending the link, on links of their own: no stream is on
// them. A link is used by one scout at a time, so that its end has one cause. They belong to one
// life of the broker actor, whose links close theirs, too. Its methods may be called concurrently.
type scouts struct {
	links  *links
	dialer amqp.Dialer
	opener *channelOpener
	left   *leftovers
	slots  chan struct{} // as many as may be under way

	mu   sync.Mutex
	idle []amqp.Link
}

const (
	// mostScouts is how many scouts are under way at once.
	mostScouts = 4
	// scoutTimeout bounds all calls of a scout together.
	scoutTimeout = 10 * time.Second
	// idleScoutTimeout is how long a scout's link stays without use.
	idleScoutTimeout = 2 * time.Second
)

// errNoScout is the result where a scout reaches no broker: then nothing was tried.
var errNoScout = errors.New("no link for a scout")

func newScouts(links *links, dialer amqp.Dialer, opener *channelOpener, left *leftovers) *scouts {
	return &scouts{links: links, dialer: dialer, opener: opener, left: left, slots: make(chan struct{}, mostScouts)}
}

// bind binds a throw-away queue, in a goroutine that calls report once: with nil, with errNoScout,
// or with the *Error that a client is to be told.
func (s *scouts) bind(queue string, b amqp.Binding, report func(error)) {
	s.tryQueue(queue, report, func(link amqp.Link, channel amqp.Channel) error {
		if err := channel.Bind(queue, b); err != nil {
			return bindFailure(err, whyLost(link, err), queue, b.Exchange)
		}
		return nil
	})
}

// declare makes and consumes a throw-away queue, as every stream does, and reports as bind does.
func (s *scouts) declare(queue string, report func(error)) {
	s.tryQueue(queue, report, func(_ amqp.Link, channel amqp.Channel) error {
		if err := channel.Consume(queue, 1); err != nil {
			return openFailure(err, queue)
		}
		return nil
	})
}

// tryQueue runs a task with a queue, and deletes that. Where the broker has refused the task, and
// closed its channel, it does so on another: the queue would stay as long as the link.
func (s *scouts) tryQueue(queue string, report func(error), task func(amqp.Link, amqp.Channel) error) {
	s.try(report, func(link amqp.Link) error {
		left := false
		err := onChannel(openChannel, link, func(channel amqp.Channel) error {
			if err := channel.Declare(queue, amqp.QueueLimits{MaxLength: 1}); err != nil {
				return openFailure(err, queue)
			}
			left = true
			if err := task(link, channel); err != nil {
				return err
			}
			left = false
			if err := channel.Delete(queue); err != nil {
				return openFailure(err, queue)
			}
			return nil
		})
		if err != nil && left {
			_ = s.opener.remove(link, func(channel amqp.Channel) error { return channel.Delete(queue) })
		}
		if err != nil {
			err = openFailure(err, queue) // where it is not told yet: no channel could be opened
		}
		return err
	})
}

// drops makes what is needed to hear what queues drop, and removes it again. It reports nil,
// errNoScout, errNoDeadLetters or the broker's *amqp.Error.
func (s *scouts) drops(namespace string, report func(error)) {
	s.try(report, func(link amqp.Link) error {
		release, err := hold(link)
		if err != nil {
			return err
		}
		defer release()
		d := newDrops(namespace)
		err = onChannel(openChannel, link, func(channel amqp.Channel) error {
			if err := d.declare(channel); err != nil {
				return err
			}
			return d.delete(channel)
		})
		if err != nil {
			d.remove(link, s.opener, s.left)
		}
		return err
	})
}

// channels opens n channels at once and closes them again, in a goroutine that calls report once:
// with how many were opened, and why not all, which is errNoScout where none was tried. It calls met
// before that where the broker has ended the scout's link: then it counts, which takes a while.
func (s *scouts) channels(n int, met func(), report func(opened int, err error)) {
	opened := 0
	s.try(func(err error) { report(opened, err) }, func(link amqp.Link) (err error) {
		if capacity := amqp.Capacity(link); capacity > 0 {
			n = min(n, capacity)
		}
		if opened, err = openChannels(link, n, 0); isLost(link) {
			met()
			opened = s.recount(opened)
		}
		return err
	})
}

const (
	// countingPause is the time between two channels that are counted: RabbitMQ counts the channels
	// of a user beside opening them, and lets more through than it allows where they come at once.
	countingPause = 25 * time.Millisecond
)

// recount returns how many channels, at most so many, the broker allows one after the other. It is
// called when it has ended the link on which that many were opened at once.
func (s *scouts) recount(most int) (opened int) {
	select {
	case <-time.After(countingRest):
	case <-s.links.ctx.Done():
		return most
	}
	link, err := s.dial()
	if err != nil {
		return most
	}
	opened, _ = openChannels(link, most, countingPause)
	s.links.forget(link)
	s.links.close(link, linkCloseTimeout)
	return opened
}

// openChannels opens n channels with a pause after each, closes them, and returns how many were
// opened, with the reason where that is fewer.
func openChannels(link amqp.Link, n int, pause time.Duration) (opened int, err error) {
	var channels []amqp.Channel
	defer func() {
		for _, c := range channels {
			c.Close()
		}
	}()
	for range n {
		channel, err := openChannel(link)
		if err != nil {
			return len(channels), cmp.Or(whyLost(link, err), err)
		}
		channels = append(channels, channel)
		time.Sleep(pause)
	}
	return n, nil
}

// try runs a task on a link, and keeps the link for the next where it has not ended.
func (s *scouts) try(report func(error), task func(amqp.Link) error) {
	s.links.work.Go(func() {
		select {
		case s.slots <- struct{}{}:
		case <-s.links.ctx.Done():
			report(errNoScout)
			return
		}
		defer func() { <-s.slots }()
		link, err := s.link()
		if err != nil {
			report(errNoScout)
			return
		}
		late := time.AfterFunc(scoutTimeout, func() { s.links.close(link, 0) }) // ends its calls
		err = attempt(link, task)
		if late.Stop() {
			s.put(link)
		}
		report(err)
	})
}

// attempt makes a panic of the port a failure: in a goroutine of its own it would end the process.
func attempt(link amqp.Link, task func(amqp.Link) error) (err error) {
	defer recovered(&err)
	return task(link)
}

// link returns an idle link, or dials one.
func (s *scouts) link() (amqp.Link, error) {
	for {
		s.mu.Lock()
		last := len(s.idle) - 1
		if last < 0 {
			s.mu.Unlock()
			return s.dial()
		}
		link := s.idle[last]
		s.idle = s.idle[:last]
		s.mu.Unlock()
		if !isLost(link) {
			return link, nil
		}
		s.links.forget(link)
	}
}

func (s *scouts) dial() (amqp.Link, error) {
	link, err := tryDial(s.links.ctx, s.dialer)
	if err == nil && !s.links.keep(link) {
		s.links.close(link, linkCloseTimeout)
		err = errNoScout
	}
	return link, err
}

func (s *scouts) put(link amqp.Link) {
	if isLost(link) {
		s.links.forget(link)
		return
	}
	s.mu.Lock()
	s.idle = append(s.idle, link)
	s.mu.Unlock()
}

// closeIdle closes the links that are not in use, and reports whether there were any.
func (s *scouts) closeIdle() bool {
	s.mu.Lock()
	idle := s.idle
	s.idle = nil
	s.mu.Unlock()
	for _, link := range idle {
		s.links.forget(link)
		s.links.close(link, linkCloseTimeout)
	}
	return len(idle) > 0
}

// whyLost returns the link's own error where a call failed because it has ended; else nil. The
// broker's reason is the link's, whatever the call says.
func whyLost(link amqp.Link, err error) error {
	if amqp.KindOf(err) != amqp.LinkLost {
		return nil
	}
	<-link.Lost() // within scoutTimeout: then we close it
	return link.Err()
}

func isLost(link amqp.Link) bool {
	select {
	case <-link.Lost():
		return true
	default:
		return false
	}
}
