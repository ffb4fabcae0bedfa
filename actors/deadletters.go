package actors

import (
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// deadLetters hears what a link's queues drop: a policy of the broker's operator may bound their
// length or their messages' age below what a stream can wait, and the broker tells no consumer. One
// queue for each link receives what they drop, and the stream it was dropped for is told.
//
// It takes a channel that serves no stream, so it is open only while the broker actor permits one
// (broker_spares.go) and the link has streams, and dropsLinger longer. Workers wait until it is open
// or known not to be: nothing is dropped unheard before. Queues name its exchange in either case:
// what they drop is heard from the moment it is open. One goroutine takes its deliveries. Its
// methods may be called concurrently.
type deadLetters struct {
	core   *core
	link   amqp.Link
	drops  drops
	report func(spare) // what becomes of the channel; it never waits

	opening sync.Mutex // held while the queue is made

	mu        sync.Mutex
	permitted bool          // a channel may be open
	over      chan struct{} // closed when the channel that is open now has ended; nil: none is open
	decided   chan struct{} // closed when it is open, or known not to be
	isDecided bool          // it is closed
	losers    map[string]*loser
	idle      *time.Timer // runs while there is no queue
	unused    bool        // it has gone off
	ends      int         // of the channel, so far
	wake      chan struct{}
}

// loser is a queue that may drop messages.
type loser struct {
	dropped func(int) // is called with their number, a moment after the first
	number  int
}

const (
	// dropsLinger is how long the queue of dead letters stays without a stream: clients that come
	// and go one after the other do not each make it anew.
	dropsLinger = time.Second
	// countDrops is how long drops are counted before the stream is told: a policy drops many at
	// once.
	countDrops = 100 * time.Millisecond
	// dropsPrefetch is small, as messages may be large.
	dropsPrefetch = 10
	// decisionPatience is how long a worker waits for the channel that hears of drops, at most.
	decisionPatience = 500 * time.Millisecond
	// retryDropsAfterEnd is the time until a channel is opened again that has ended by itself,
	// retryDropsAfterRefusal until one is that could not be opened.
	retryDropsAfterEnd     = time.Second
	retryDropsAfterRefusal = 30 * time.Second
)

func newDeadLetters(c *core, link amqp.Link, report func(spare)) *deadLetters {
	return &deadLetters{
		core: c, link: link, report: report, drops: newDrops(c.options.Namespace),
		losers: map[string]*loser{}, decided: make(chan struct{}), wake: make(chan struct{}, 1),
	}
}

// closeQuietly closes a channel, if there is one, whatever its Close does.
func closeQuietly(channel amqp.Channel) {
	if channel != nil {
		_ = guarded("close channel", channel.Close)
	}
}

// permit lets a channel be open until it is reported as ended. Where queues are waiting for that it
// is opened at once, in a goroutine.
func (d *deadLetters) permit() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.permitted = true
	if len(d.losers) > 0 {
		d.core.work.Go(d.open)
	}
}

// decline notes that no channel is permitted at present.
func (d *deadLetters) decline() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.permitted {
		d.decide()
	}
}

// doubt lets the next worker wait for what is decided then, where no queue has heard the last
// decision.
func (d *deadLetters) doubt() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.losers) == 0 && d.over == nil && d.isDecided {
		d.decided, d.isDecided = make(chan struct{}), false
	}
}

// decide lets workers go on. mu is held.
func (d *deadLetters) decide() {
	if !d.isDecided {
		d.isDecided = true
		close(d.decided)
	}
}

// await waits until it is decided, but no longer than decisionPatience.
func (d *deadLetters) await() {
	d.mu.Lock()
	decided := d.decided
	d.mu.Unlock()
	patience := time.NewTimer(decisionPatience)
	defer patience.Stop()
	select {
	case <-decided:
	case <-d.link.Lost():
	case <-patience.C:
	}
}

// giveBack ends the permission: a channel that is open is closed, and reported as ended.
func (d *deadLetters) giveBack() {
	d.opening.Lock() // the channel that is being opened is one to close
	defer d.opening.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.withdraw()
}

// withdraw ends the permission, if there is one. mu is held.
func (d *deadLetters) withdraw() (over <-chan struct{}) {
	if d.permitted {
		d.permitted = false
		if signal(d.wake); d.over == nil {
			d.report(spare{})
		}
	}
	return d.over
}

// endings returns how often the channel has ended.
func (d *deadLetters) endings() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.ends
}

// surrender is giveBack by a worker that finds no room for its queue. It waits until the queue of
// dead letters is gone, and reports whether there was one since the channel had ended so many times:
// another worker, or the broker actor, may have been faster.
func (d *deadLetters) surrender(endings int) bool {
	d.mu.Lock()
	over, gone := d.withdraw(), d.ends != endings
	d.mu.Unlock()
	if over == nil {
		return gone
	}
	select {
	case <-over:
	case <-d.link.Lost():
	}
	return true
}

// enter returns the exchange that the queue of a channel is to drop to, empty where the broker
// allows none, cannot do it, or has not been asked. It may call the broker, and wait. dropped is called at
// most once, by any goroutine. The caller owes leave.
func (d *deadLetters) enter(channel amqp.Channel, queue string, dropped func(int)) (exchange string) {
	if _, can := channel.(amqp.DeadLetters); !can || d.core.drops.Load() == dropsForbidden {
		return ""
	}
	d.mu.Lock()
	d.losers[queue] = &loser{dropped: dropped}
	d.stopIdle()
	d.mu.Unlock()
	d.open()
	if d.await(); d.core.drops.Load() == dropsAllowed {
		return d.drops.exchange
	}
	return ""
}

// leave is called when the queue is gone.
func (d *deadLetters) leave(queue string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.losers, queue)
	d.linger()
}

// linger lets a channel that is open end in a while where there is no queue. mu is held.
func (d *deadLetters) linger() {
	if len(d.losers) == 0 && d.over != nil && d.idle == nil {
		d.idle = time.AfterFunc(dropsLinger, d.lingered)
	}
}

// lingered is called when there was no queue for a while, unless one came just now.
func (d *deadLetters) lingered() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unused = len(d.losers) == 0
	signal(d.wake)
}

// stopIdle: there is a queue, or the channel has ended. mu is held.
func (d *deadLetters) stopIdle() {
	if d.unused = false; d.idle != nil {
		d.idle.Stop()
		d.idle = nil
	}
}

// open makes the queue and starts to take its deliveries, where that is permitted and not done.
func (d *deadLetters) open() {
	d.opening.Lock()
	defer d.opening.Unlock()
	if !d.due() {
		return
	}
	channel, err := d.declare()
	d.mu.Lock()
	defer d.mu.Unlock()
	defer d.decide()
	if err != nil {
		d.permitted = false
		d.core.allowDrops(err)
		d.report(spare{again: retryDropsAfterRefusal})
		return
	}
	d.over = make(chan struct{})
	d.linger() // where the queues have gone meanwhile
	d.core.work.Go(func() { d.listen(channel) })
	d.core.allowDrops(nil)
	d.report(spare{open: true})
}

func (d *deadLetters) due() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.permitted && d.over == nil
}

// declare makes exchange and queue, on a channel of their own.
func (d *deadLetters) declare() (channel amqp.Channel, err error) {
	release, err := hold(d.link)
	if err != nil {
		return nil, err
	}
	defer release()
	err = guarded("dead letters", func() (err error) {
		if channel, err = openChannel(d.link); err == nil {
			err = d.drops.declare(channel)
		}
		if err == nil {
			err = channel.Consume(d.drops.queue, dropsPrefetch)
		}
		return err
	})
	if err != nil && channel != nil {
		closeQuietly(channel)
		d.drops.remove(d.link, &d.core.opener, &d.core.leftovers)
	}
	return channel, err
}

// listen takes the dead letters until no queue is left, the permission ends, or the channel does.
func (d *deadLetters) listen(channel amqp.Channel) {
	err := guarded("dead letters", func() error {
		for d.wanted() {
			if err := d.next(channel); err != nil {
				return err
			}
		}
		return d.drops.delete(channel) // an exchange that was deleted and made again would stay
	})
	closeQuietly(channel)
	d.ended(err)
}

func (d *deadLetters) next(channel amqp.Channel) error {
	letter, err := channel.Next(d.wake)
	if err != nil || letter == nil {
		return err
	}
	d.count(letter.RoutingKey)
	return channel.Acknowledge(letter.Tag)
}

// wanted reports whether the channel may stay open, and is of use or was a moment ago.
func (d *deadLetters) wanted() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.permitted && !d.unused
}

// ended is called when the channel is closed.
func (d *deadLetters) ended(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	close(d.over)
	d.over, d.permitted = nil, false
	d.ends++
	d.decided, d.isDecided = make(chan struct{}), false
	d.stopIdle()
	if err != nil {
		d.report(spare{again: retryDropsAfterEnd})
		return
	}
	d.report(spare{})
}

// count notes that a queue has dropped a message.
func (d *deadLetters) count(queue string) {
	d.core.count.dropped.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.losers[queue]
	if l == nil {
		return // it has ended
	}
	if l.number++; l.number == 1 {
		time.AfterFunc(countDrops, func() {
			d.mu.Lock()
			n := l.number
			d.mu.Unlock()
			l.dropped(n)
		})
	}
}
