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
// It exists while the link has streams, and dropsLinger longer: the first worker makes it, the
// others wait for that. One goroutine takes its deliveries. Its methods may be called concurrently.
type deadLetters struct {
	core *core
	link amqp.Link

	opening sync.Mutex // held while the queue is made, and over exchange

	mu       sync.Mutex
	exchange string // where queues are to drop to; empty while there is none
	denied   bool   // the broker does not allow it
	losers   map[string]*loser
	idle     *time.Timer // runs while there is no queue
	wake     chan struct{}
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
)

func newDeadLetters(c *core, link amqp.Link) *deadLetters {
	return &deadLetters{core: c, link: link, losers: map[string]*loser{}, wake: make(chan struct{}, 1)}
}

// closeQuietly closes a channel, if there is one, whatever its Close does.
func closeQuietly(channel amqp.Channel) {
	if channel != nil {
		_ = guarded("close channel", channel.Close)
	}
}

// enter returns the exchange that the queue of a channel is to drop to, empty where the broker
// allows none or cannot do it. It calls the broker. dropped is called at most once, by any
// goroutine. The caller owes leave.
func (d *deadLetters) enter(channel amqp.Channel, queue string, dropped func(int)) (exchange string) {
	if _, can := channel.(amqp.DeadLetters); !can {
		return ""
	}
	d.mu.Lock()
	d.losers[queue] = &loser{dropped: dropped}
	if d.idle != nil {
		d.idle.Stop()
		d.idle = nil
	}
	d.mu.Unlock()
	d.opening.Lock()
	defer d.opening.Unlock()
	if exchange, done := d.opened(); done {
		return exchange
	}
	return d.open()
}

// leave is called when the queue is gone.
func (d *deadLetters) leave(queue string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.losers, queue)
	if len(d.losers) == 0 && d.exchange != "" && d.idle == nil {
		d.idle = time.AfterFunc(dropsLinger, func() { signal(d.wake) })
	}
}

func (d *deadLetters) opened() (exchange string, done bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.exchange, d.exchange != "" || d.denied
}

// open makes the queue and starts to take its deliveries. What fails for another reason than a
// refusal is tried again by the next worker.
func (d *deadLetters) open() (exchange string) {
	exchange, queue := amqp.DeadLetterNames(d.core.options.Namespace)
	channel, err := d.declare(exchange, queue)
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case err == nil:
		d.exchange = exchange
		d.core.work.Go(func() { d.listen(channel) })
		d.core.noteDrops(nil)
		return exchange
	case amqp.KindOf(err) == amqp.Refused:
		d.denied = true
		d.core.noteDrops(err)
	}
	return ""
}

// declare makes exchange and queue, and tries whether a stream's queue may drop to them.
func (d *deadLetters) declare(exchange, queue string) (channel amqp.Channel, err error) {
	err = guarded("dead letters", func() (err error) {
		if channel, err = d.link.Channel(); err != nil {
			return err
		}
		if err = channel.(amqp.DeadLetters).DeclareDeadLetters(exchange, queue); err != nil {
			return err
		}
		if err = channel.Consume(queue, dropsPrefetch); err != nil {
			return err
		}
		return d.try(exchange)
	})
	if err != nil {
		closeQuietly(channel)
	}
	return channel, err
}

// try makes a queue that drops to the exchange, on a channel of its own, and removes it.
func (d *deadLetters) try(exchange string) error {
	channel, err := d.link.Channel()
	if err != nil {
		return err
	}
	defer channel.Close()
	queue := amqp.QueueName(d.core.options.Namespace)
	if err := channel.Declare(queue, amqp.QueueLimits{MaxLength: 1, DeadLetters: exchange}); err != nil {
		return err
	}
	return channel.Delete(queue)
}

// listen takes the dead letters until no queue is left, or the channel ends.
func (d *deadLetters) listen(channel amqp.Channel) {
	_ = guarded("dead letters", func() error {
		for {
			letter, err := channel.Next(d.wake)
			switch {
			case err != nil:
				return err
			case letter != nil:
				d.count(letter.RoutingKey)
				if err := channel.Acknowledge(letter.Tag); err != nil {
					return err
				}
			case d.unused():
				return nil
			}
		}
	})
	d.forget()
	closeQuietly(channel)
}

// unused reports whether no queue is left, and takes the exchange back then.
func (d *deadLetters) unused() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.losers) > 0 {
		return false
	}
	d.exchange = ""
	return true
}

// forget is called when the channel ends: the next worker makes another one.
func (d *deadLetters) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.exchange = ""
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
