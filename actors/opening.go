package actors

import (
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// open is the first half of a worker's life: from a lease to a queue that is consumed and bound,
// and a sink that is ready. It returns the channel; or nil and the reason, which is nil when
// cancelled. Where the broker has no room for the queue, the link's queue of dead letters makes
// room for it.
func (w *worker) open() (channel amqp.Channel, err error) {
	letters := w.lease.upkeep.letters
	endings := letters.endings()
	channel, err = w.tryOpen(openChannel)
	if isRoomless(err) {
		w.lease.noRoom()
		if letters.surrender(endings) {
			return w.tryOpen(w.core.opener.reopen)
		}
	}
	return channel, err
}

// tryOpen is open, once, on a channel from either of the ways to one.
//
// Consuming before binding leaves nothing behind where a binding is refused: the queue is
// auto-delete, and that works only once it has had a consumer.
func (w *worker) tryOpen(channelOf func(amqp.Link) (amqp.Channel, error)) (channel amqp.Channel, err error) {
	defer recovered(&err)
	if w.cancelled.Load() {
		return nil, nil
	}
	if channel, err = channelOf(w.lease.link); err != nil {
		if amqp.KindOf(err) == amqp.Exhausted {
			w.lease.exhausted()
		}
		return nil, openFailure(err, w.queue)
	}
	w.lease.progressed()
	ready := false
	defer func() {
		if !ready {
			closing := channel
			channel = nil
			closing.Close()
			w.deleteQueue() // where the port panicked, too
		}
	}()
	if err = w.subscribe(channel); err != nil || w.cancelled.Load() {
		if isDenied(err, w.queue) {
			w.lease.denied(failureOf(err))
		}
		return channel, err
	}
	w.lease.opened()
	w.intake.sink.ready(w)
	w.report(subscribed{})
	ready = true
	return channel, nil
}

// subscribe makes the queue, its consumer and all its bindings, in this order. It returns an
// *Error, and nil early when the worker is cancelled.
func (w *worker) subscribe(channel amqp.Channel) error {
	limits := amqp.QueueLimits{MaxLength: w.core.limits().MaxLength}
	if !w.core.options.IgnoreDrops {
		limits.DeadLetters = w.lease.upkeep.letters.enter(channel, w.queue, w.lease.dropped)
		w.lease.progressed()
	}
	if err := channel.Declare(w.queue, limits); err != nil {
		return openFailure(err, w.queue)
	}
	w.lease.progressed()
	if err := w.consume(channel); err != nil {
		return openFailure(err, w.queue)
	}
	w.lease.progressed()
	for _, binding := range w.intake.bindings {
		if w.cancelled.Load() {
			return nil
		}
		if err := channel.Bind(w.queue, binding); err != nil {
			return openFailure(err, w.queue)
		}
		w.lease.progressed()
	}
	if len(w.intake.bindings) > 0 { // a routed feed binds by itself
		w.rebound = w.lease.upkeep.rebinder.add(w.intake.bindings, w.askToRebind, w.refuse)
	}
	return nil
}

// endUpkeep is called when the queue is gone.
func (w *worker) endUpkeep() {
	w.lease.upkeep.letters.leave(w.queue)
	if w.rebound != nil {
		w.lease.upkeep.rebinder.remove(w.rebound)
	}
}

// consume makes the queue one that goes with its channel. Until it has returned without an error,
// deleteQueue has something to delete.
func (w *worker) consume(channel amqp.Channel) error {
	if _, can := channel.(amqp.Prefetcher); !can {
		w.window.setPace(fixedPace(w.intake.prefetch))
	}
	w.unconsumed = true
	if err := channel.Consume(w.queue, w.window.pace.now); err != nil {
		return err
	}
	w.unconsumed = false
	return nil
}

// deleteQueue removes the queue if it never had a consumer, on a channel in the place of the worker's
// own, which is closed. Where even that fails, x-expires does it.
func (w *worker) deleteQueue() {
	if !w.unconsumed {
		return
	}
	w.unconsumed = false
	_ = w.core.opener.remove(w.lease.link, func(channel amqp.Channel) error { return channel.Delete(w.queue) })
}
