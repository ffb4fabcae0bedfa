package actors

import (
	"context"
	"errors"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// canaries sends them and hears them: which of a cluster's nodes hear each other is then for sight
// to decide. They belong to one life of the broker actor, whose turns alone use it; its goroutines
// call report with messages for that actor.
//
//	link to a ── ear: a queue ◀─┐  one exchange,   ┌─◀── feeder: a link to a, without streams
//	link to b ── ear: a queue ◀─┤  a fanout, for   ├─◀── feeder: a link to b
//	link to b ── ear: a queue ◀─┘  the process     └─
//
// A feeder has a link of its own: a broker with an alarm reads nothing more from a link that
// publishes, no acknowledgement of a stream either.
//
// Ears and feeders take channels, which a user's limit counts. So the pool is asked before each, and
// they go when streams need the room.
//
// With Khepri (RabbitMQ 4) there is no partition handling to choose. A node without a majority keeps
// its links, but no queue can be declared, bound or deleted there: newcomers hang, and are told after
// callTimeout; ears that are in place work on, as deliveries need no majority, so that open streams
// are found to be blind as with Mnesia. New ears cannot be made there until it is over: a link that
// has none is not judged, and its newcomers' calls retire it. The majority removes the lone node's
// transient queues and bindings when it gives it up; after the partition the lone node's links are
// deaf until they are made anew, which their ears show: they stay silent.
type canaries struct {
	links    *links
	cluster  amqp.Cluster
	queue    func() string // new names
	exchange string
	report   func(message any)

	ears    map[amqp.Link]chan struct{} // closed to end them
	feeders map[string]*feeder          // by address
	ending  int                         // ears and feeders that were told to end
}

// feeder is a goroutine that publishes canaries at one node.
type feeder struct {
	due chan struct{} // one at a time
	end chan struct{} // closed to end it
}

// canaryPrefetch is small: canaries are few, and acknowledged one by one.
const canaryPrefetch = 10

// errNoCanaries is the result where the broker cannot carry canaries.
var errNoCanaries = errors.New("this broker's channels carry no canaries")

func newCanaries(links *links, cluster amqp.Cluster, namespace string, report func(message any)) *canaries {
	return &canaries{
		links: links, cluster: cluster, report: report,
		queue: func() string { return amqp.CanaryQueue(namespace) }, exchange: amqp.CanaryExchange(namespace),
		ears: map[amqp.Link]chan struct{}{}, feeders: map[string]*feeder{},
	}
}

// channels returns how many channels they have, or are about to open or close.
func (c *canaries) channels() int { return len(c.ears) + len(c.feeders) + c.ending }

// listen makes a link's ear.
func (c *canaries) listen(link amqp.Link) {
	end := make(chan struct{})
	c.ears[link] = end
	queue := c.queue()
	c.links.work.Go(func() {
		err := attempt(link, func(link amqp.Link) error { return c.hear(link, queue, end) })
		c.report(earEnded{by: c.links, link: link, end: end, err: err})
	})
}

// hear reports what the ear hears until it is to end.
func (c *canaries) hear(link amqp.Link, queue string, end <-chan struct{}) error {
	channel, err := openChannel(link)
	if err != nil {
		return err
	}
	defer closeQuietly(channel)
	carrier, can := channel.(amqp.Canaries)
	if !can {
		return errNoCanaries
	}
	if err := channel.Declare(queue, amqp.QueueLimits{MaxLength: 10 * canaryPrefetch}); err != nil {
		return err
	}
	if err := channel.Consume(queue, canaryPrefetch); err != nil {
		return err
	}
	if err := c.bind(link, carrier, queue); err != nil {
		return err
	}
	c.report(earOpened{by: c.links, link: link})
	for {
		canary, err := channel.Next(end)
		if err != nil || canary == nil {
			return err
		}
		c.report(canaryHeard{by: c.links, link: link, from: string(canary.Body)})
		if err := channel.Acknowledge(canary.Tag); err != nil {
			return err
		}
	}
}

// bind makes the exchange where it is not there, and binds the queue.
func (c *canaries) bind(link amqp.Link, carrier amqp.Canaries, queue string) error {
	release, err := hold(link)
	if err != nil {
		return err
	}
	defer release()
	return carrier.BindCanaries(queue, c.exchange)
}

// feed makes a node's feeder.
func (c *canaries) feed(address string) {
	f := &feeder{due: make(chan struct{}, 1), end: make(chan struct{})}
	c.feeders[address] = f
	c.links.work.Go(func() {
		c.report(feederEnded{by: c.links, address: address, end: f.end, err: c.publish(address, f)})
	})
}

// publish publishes a canary each time that one is due, on a link of its own.
func (c *canaries) publish(address string, f *feeder) error {
	link, err := tryDial(c.links.ctx, where{c.cluster, func(a string) bool { return a == address }})
	if err != nil {
		return err
	}
	if !c.links.keep(link) {
		c.links.close(link, linkCloseTimeout)
		return context.Canceled
	}
	defer c.links.forget(link)
	var channel amqp.Channel
	defer func() { closeQuietly(channel) }()
	defer link.Close(linkCloseTimeout) // before the channel: a broker with an alarm answers no call
	return attempt(link, func(link amqp.Link) (err error) {
		if channel, err = openChannel(link); err != nil {
			return err
		}
		carrier, can := channel.(amqp.Canaries)
		for can {
			select {
			case <-f.due:
				if err := carrier.SendCanary(c.exchange, []byte(address)); err != nil {
					return err
				}
			case <-f.end:
				return nil
			case <-link.Lost():
				return link.Err()
			}
		}
		return errNoCanaries
	})
}

// send lets every feeder publish.
func (c *canaries) send() {
	for _, f := range c.feeders {
		signal(f.due)
	}
}

// endEar ends a link's ear, if it has one.
func (c *canaries) endEar(link amqp.Link) {
	if end := c.ears[link]; end != nil {
		close(end)
		delete(c.ears, link)
		c.ending++
	}
}

func (c *canaries) endFeeder(address string) {
	if f := c.feeders[address]; f != nil {
		close(f.end)
		delete(c.feeders, address)
		c.ending++
	}
}

// endAll ends all of them, and reports whether there were any.
func (c *canaries) endAll() bool {
	any := len(c.ears)+len(c.feeders) > 0
	for link := range c.ears {
		c.endEar(link)
	}
	for address := range c.feeders {
		c.endFeeder(address)
	}
	return any
}

// earEnded and feederEnded are called when a goroutine has reported its end. They report whether it
// was to end.
func (c *canaries) earEnded(msg earEnded) (asked bool) {
	if c.ears[msg.link] == msg.end {
		delete(c.ears, msg.link)
		return false
	}
	c.ending--
	return true
}

func (c *canaries) feederEnded(msg feederEnded) (asked bool) {
	if f := c.feeders[msg.address]; f != nil && f.end == msg.end {
		delete(c.feeders, msg.address)
		return false
	}
	c.ending--
	return true
}
