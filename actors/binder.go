package actors

import (
	"sync"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// binder binds a routed feed's queue to exchanges, on channels of the queue's link beside the one
// that its messages come through: a refusal ends a channel.
//
// One channel is kept between binds, since a broker may answer the opening of one too many by ending
// the link; where that one waits for an answer, a further one is opened. Its methods may be called
// concurrently; each bind is a goroutine's.
type binder struct {
	link  amqp.Link
	queue string

	mu     sync.Mutex
	idle   amqp.Channel // nil where there is none
	closed bool         // no channel is kept
}

// bind asks for all messages of an exchange. It waits for the broker's answer, at the longest until
// the link has ended. A panic of the port is returned as an error.
func (b *binder) bind(exchange string) (err error) {
	defer recovered(&err)
	channel := b.take()
	if channel != nil {
		if err = b.bindOn(channel, exchange); amqp.KindOf(err) != amqp.ChannelLost {
			return err
		}
		// It was lost before.
	}
	if channel, err = b.link.Channel(); err != nil {
		return err
	}
	return b.bindOn(channel, exchange)
}

// bindOn binds on a channel, and keeps that or closes it.
func (b *binder) bindOn(channel amqp.Channel, exchange string) error {
	kept := false
	defer func() {
		if !kept { // where the port panicked, too
			closeQuietly(channel)
		}
	}()
	if err := channel.Bind(b.queue, allOf(exchange)); err != nil {
		return err
	}
	kept = b.keep(channel)
	return nil
}

func (b *binder) take() (channel amqp.Channel) {
	b.mu.Lock()
	defer b.mu.Unlock()
	channel, b.idle = b.idle, nil
	return channel
}

// keep reports whether the channel is kept for the next bind.
func (b *binder) keep(channel amqp.Channel) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed || b.idle != nil {
		return false
	}
	b.idle = channel
	return true
}

// close closes the channel that is kept. It waits for the broker's answer.
func (b *binder) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	closeQuietly(b.take())
}

// allOf returns the binding to every message of a topic exchange.
func allOf(exchange string) amqp.Binding { return amqp.Binding{Exchange: exchange, Pattern: "#"} }
