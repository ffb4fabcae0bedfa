package actors

import (
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// binder binds a routed feed's queue to exchanges, on a channel of the queue's link beside the one
// that its messages come through: a refusal ends a channel.
//
// That channel belongs to the feed's lease, and is kept between binds. Where it waits for an answer,
// a further one is opened for each bind, as an errand; where the broker has none left, the bind waits
// for its turn. The methods of a binder may be called concurrently; each bind is a goroutine's.
type binder struct {
	link    amqp.Link
	queue   string
	errands errands
	reopen  func(amqp.Link) (amqp.Channel, error) // as channelOpener.reopen
	turn    chan struct{}                         // holds one value while no bind uses the kept channel

	closed atomic.Bool
	gone   chan struct{} // closed with it

	// Of the bind that has the turn:
	kept amqp.Channel // nil where there is none
	used bool         // there was one
}

// errandRetry is the time until a bind that waits for its turn asks for a channel again.
const errandRetry = time.Second

func newBinder(c *core, link amqp.Link, queue string, e errands) *binder {
	b := &binder{link: link, queue: queue, errands: e, reopen: c.opener.reopen, turn: make(chan struct{}, 1), gone: make(chan struct{})}
	b.turn <- struct{}{}
	return b
}

// bind asks for all messages of an exchange. It waits for the broker's answer, at the longest until
// the link has ended. A panic of the port is returned as an error.
func (b *binder) bind(exchange string) (err error) {
	defer recovered(&err)
	mine, err := b.begin()
	if err != nil {
		return err
	}
	if !mine {
		defer b.errands.end()
		return onChannel(openChannel, b.link, func(channel amqp.Channel) error {
			return channel.Bind(b.queue, allOf(exchange))
		})
	}
	defer b.yield()
	return b.bindKept(exchange)
}

// begin waits until the kept channel is free, which is the caller's then, or an errand is granted.
func (b *binder) begin() (mine bool, err error) {
	for {
		select {
		case <-b.turn:
			return true, nil
		default:
		}
		if b.errands.begin() {
			return false, nil
		}
		retry := time.NewTimer(errandRetry)
		select {
		case <-b.turn:
			retry.Stop()
			return true, nil
		case <-b.gone:
			return false, &amqp.Error{Kind: amqp.ChannelLost, Op: "bind", Subject: b.queue}
		case <-b.link.Lost():
			return false, &amqp.Error{Kind: amqp.LinkLost, Op: "bind", Subject: b.queue, Cause: b.link.Err()}
		case <-retry.C:
		}
	}
}

// bindKept binds on the kept channel, or on a new one where there is none or it was lost before, and
// keeps it where the broker has not closed it.
func (b *binder) bindKept(exchange string) error {
	if channel := b.kept; channel != nil {
		b.kept = nil
		if err := b.bindOn(channel, exchange); amqp.KindOf(err) != amqp.ChannelLost {
			return err
		}
	}
	channel, err := b.open()
	if err != nil {
		return err
	}
	b.errands.beside(besideOpen)
	return b.bindOn(channel, exchange)
}

func (b *binder) bindOn(channel amqp.Channel, exchange string) error {
	bound := false
	defer func() {
		if !bound { // where the port panicked, too
			closeQuietly(channel)
			b.errands.beside(besideClosed)
		}
	}()
	if err := channel.Bind(b.queue, allOf(exchange)); err != nil {
		return err
	}
	bound, b.kept = true, channel
	return nil
}

func (b *binder) open() (amqp.Channel, error) {
	if b.used {
		return b.reopen(b.link)
	}
	b.used = true
	return openChannel(b.link)
}

// yield lets the next bind use the kept channel.
func (b *binder) yield() {
	b.turn <- struct{}{}
	if b.closed.Load() {
		b.closeKept()
	}
}

// close closes the kept channel, or has the bind that uses it do so. It must be called once, and waits
// for the broker's answer.
func (b *binder) close() {
	b.closed.Store(true)
	close(b.gone)
	b.closeKept()
}

// closeKept takes the last turn, unless a bind has it, which then does this.
func (b *binder) closeKept() {
	select {
	case <-b.turn:
		if b.kept != nil {
			closeQuietly(b.kept)
			b.errands.beside(besideClosed)
		}
		b.errands.beside(besideOver)
	default:
	}
}

// allOf returns the binding to every message of a topic exchange.
func allOf(exchange string) amqp.Binding { return amqp.Binding{Exchange: exchange, Pattern: "#"} }
