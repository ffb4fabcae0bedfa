package actors

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// worker is the goroutine that holds one AMQP channel: it alone calls it, and
// closes it exactly once. Its owner is a consumer actor.
//
//	declare ▸ consume ▸ bind… ▸ ready ▸ deliver, acknowledge … ▸ close
//
// Consuming before binding leaves nothing behind where a binding is refused:
// the queue is auto-delete, and that works only once it has had a consumer.
type worker struct {
	system   *System
	link     amqp.Link
	bindings []amqp.Binding
	sink     sink
	report   func(any) // to the consumer: subscribed once, exited at the end
	queue    string
	window   *window
	wake     chan struct{} // one is enough: it says "look again"

	cancelled atomic.Bool
	crashing  atomic.Bool
}

func newWorker(s *System, link amqp.Link, bindings []amqp.Binding, to sink) *worker {
	w := &worker{
		system: s, link: link, bindings: bindings, sink: to,
		queue: amqp.QueueName(s.options.Namespace), wake: make(chan struct{}, 1),
	}
	w.window = newWindow(s.options.Limits, w.prefetch(), w.rouse)
	return w
}

// prefetch is how many deliveries may be under way: few to one reader, more to
// a hub, which holds none back.
func (w *worker) prefetch() int {
	if _, shared := w.sink.(*hub); shared {
		return w.system.options.Limits.FeedPrefetch
	}
	return w.system.options.Limits.Prefetch
}

// startWorker runs a worker in its goroutine. Close waits for all of them.
func (s *System) startWorker(w *worker) {
	s.count.workers.Add(1)
	s.work.Go(func() {
		defer s.count.workers.Add(-1)
		w.report(exited{err: w.run()})
	})
}

// cancel asks the worker to end; it may be called from anywhere, repeatedly.
func (w *worker) cancel() {
	w.cancelled.Store(true)
	w.rouse()
}

// crash makes the worker panic.
func (w *worker) crash() {
	w.crashing.Store(true)
	w.rouse()
}

func (w *worker) rouse() {
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// acknowledge: the stream's reader has written everything up to tag.
func (w *worker) acknowledge(tag uint64) { w.window.write(tag) }

// run is the channel's life. It returns nil when cancelled, else an *Error.
func (w *worker) run() (err error) {
	defer w.window.stop()
	defer func() {
		if r := recover(); r != nil {
			err = verdict(r)
		}
	}()
	channel, err := w.link.Channel()
	if err != nil {
		return w.unopened(err)
	}
	defer channel.Close()
	if done, err := w.subscribe(channel); done || err != nil {
		return err
	}
	w.sink.ready(w)
	w.report(subscribed{})
	return w.deliver(channel)
}

// subscribe makes the queue and all its bindings. done says that the stream
// has gone meanwhile.
func (w *worker) subscribe(channel amqp.Channel) (done bool, err error) {
	limits := w.system.options.Limits
	if err := channel.Declare(w.queue, amqp.QueueLimits{MaxLength: limits.MaxLength}); err != nil {
		return false, w.unopened(err)
	}
	if err := channel.Consume(w.queue, w.prefetch()); err != nil {
		w.deleteQueue()
		return false, w.unopened(err)
	}
	for _, binding := range w.bindings {
		if w.cancelled.Load() {
			return true, nil
		}
		if err := channel.Bind(w.queue, binding); err != nil {
			return false, w.unopened(err)
		}
	}
	return w.cancelled.Load(), nil
}

// deleteQueue removes a queue that never had a consumer, on a channel of its
// own: the other one is closed. Where even that fails, x-expires does it.
func (w *worker) deleteQueue() {
	channel, err := w.link.Channel()
	if err != nil {
		return
	}
	defer channel.Close()
	_ = channel.Delete(w.queue)
}

// deliver hands on what comes until the end.
func (w *worker) deliver(channel amqp.Channel) error {
	for {
		delivery, ok, err := w.next(channel)
		switch {
		case err != nil:
			return lostError(err)
		case w.cancelled.Load():
			return nil
		case w.crashing.Load():
			panic(planted(RoleWorker))
		case ok:
			w.hand(delivery)
		}
		if err := w.settle(channel, ok); err != nil {
			return err
		}
	}
}

// crowdPause is how long a worker waits before it looks again whether its
// readers can take more. Short: the broker's queue grows meanwhile.
const crowdPause = 2 * time.Millisecond

// next waits for a delivery, and before that for readers that can take it.
func (w *worker) next(channel amqp.Channel) (d amqp.Delivery, ok bool, err error) {
	if !w.sink.crowded() {
		return channel.Next(w.wake)
	}
	pause := time.NewTimer(crowdPause)
	defer pause.Stop()
	select {
	case <-w.wake:
	case <-pause.C:
	}
	return d, false, nil
}

func (w *worker) hand(delivery amqp.Delivery) {
	message, encoding := encode(delivery, w.system.options.Limits.MessageBytes)
	w.system.count.countMessage(message, len(delivery.Body), encoding)
	w.window.deliver(delivery.Tag)
	w.sink.deliver(message)
}

// settle acknowledges what was written, and looks whether the reader keeps up.
// busy says that deliveries are coming, so that acknowledging can wait for more.
func (w *worker) settle(channel amqp.Channel, busy bool) error {
	if tag := w.window.due(busy); tag > 0 {
		if err := channel.Acknowledge(tag); err != nil {
			return lostError(err)
		}
	}
	if !w.window.lookDue() {
		return nil
	}
	depth, err := channel.Depth(w.queue)
	if err != nil {
		return lostError(err)
	}
	if reason := w.window.slow(depth); reason != "" {
		return &Error{Code: SlowConsumer, Reason: reason}
	}
	return nil
}

// unopened is what a client is told of an error before `ready`.
func (w *worker) unopened(err error) error {
	var e *amqp.Error
	if !errors.As(err, &e) {
		return &Error{Code: BrokerUnavailable, Reason: "The message broker went away while the stream was opened", Cause: err}
	}
	switch e.Kind {
	case amqp.Refused:
		return &Error{Code: BindingRefused, Reason: refusal(e), Cause: err}
	case amqp.Cancelled:
		return lostError(err)
	case amqp.Exhausted:
		return &Error{Code: BrokerUnavailable, Reason: "The message broker has no channel left", Cause: err}
	}
	return &Error{Code: BrokerUnavailable, Reason: "The message broker went away while the stream was opened", Cause: err}
}

// refusal says in our own words what the broker refused; the exchange's name
// is the client's own.
func refusal(e *amqp.Error) string {
	switch {
	case e.Op != "bind":
		return "The message broker refused to make the stream's queue"
	case e.Code == 404:
		return fmt.Sprintf("The exchange %q does not exist", e.Subject)
	case e.Code == 403:
		return fmt.Sprintf("The exchange %q may not be read by this service", e.Subject)
	}
	return fmt.Sprintf("The message broker refused a binding to the exchange %q", e.Subject)
}

// lostError is what a client is told of an error after `ready`.
func lostError(err error) error {
	switch amqp.KindOf(err) {
	case amqp.Cancelled:
		return &Error{Code: QueueDeleted, Reason: "The stream's queue was deleted at the message broker", Cause: err}
	case amqp.LinkLost:
		return &Error{Code: BrokerLost, Reason: "The connection to the message broker was lost", Cause: err}
	}
	return &Error{Code: BrokerLost, Reason: "The message broker ended the stream's channel", Cause: err}
}
