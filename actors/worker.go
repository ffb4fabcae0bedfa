package actors

import (
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
	tenant   tenant
	bindings []amqp.Binding
	sink     sink
	report   func(any) // to the consumer: subscribed once, exited at the end
	queue    string
	window   *window
	wake     chan struct{} // one is enough: it says "look again"

	cancelled atomic.Bool
	crashing  atomic.Bool
}

func newWorker(s *System, link amqp.Link, holder tenant, bindings []amqp.Binding, to sink) *worker {
	w := &worker{
		system: s, link: link, tenant: holder, bindings: bindings, sink: to,
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

// startWorker runs a worker, and Close waits for it. Opening and serving have a
// goroutine each, one after the other: opening needs four times the stack, and
// most of a stream's life is waiting.
func (s *System) startWorker(w *worker) {
	s.count.workers.Add(1)
	s.work.Go(func() {
		channel, err := w.open()
		if channel == nil {
			w.exit(err)
			return
		}
		s.work.Add(1)
		go w.serve(channel) // ends when cancelled, or when the channel does
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

func (w *worker) rouse() { rouse(w.wake) }

// acknowledge: the stream's reader has written everything up to tag.
func (w *worker) acknowledge(tag uint64) { w.window.write(tag) }

// open is the first half of the channel's life, up to ready: it gives a channel
// that is consuming, or nil with the reason, which is nil too when cancelled.
func (w *worker) open() (channel amqp.Channel, err error) {
	defer recovered(&err)
	if w.cancelled.Load() {
		return nil, nil
	}
	if channel, err = w.link.Channel(); err != nil {
		if amqp.KindOf(err) == amqp.Exhausted {
			w.tenant.exhausted()
		}
		return nil, unopened(err)
	}
	w.tenant.progressed()
	ready := false
	defer func() {
		if !ready {
			closing := channel
			channel = nil
			closing.Close()
		}
	}()
	if err = w.subscribe(channel); err != nil || w.cancelled.Load() {
		return channel, err
	}
	w.tenant.opened()
	w.sink.ready(w)
	w.report(subscribed{})
	ready = true
	return channel, nil
}

// serve is the second half.
func (w *worker) serve(channel amqp.Channel) {
	defer w.system.work.Done()
	w.exit(w.deliver(channel))
}

// exit is the worker's last act.
func (w *worker) exit(err error) {
	w.window.stop()
	w.tenant.release()
	w.system.count.workers.Add(-1)
	w.report(exited{err: err})
}

// recovered turns a panic into the function's error, unless it has one already:
// then it was the closing that panicked.
func recovered(err *error) {
	if r := recover(); r != nil && *err == nil {
		*err = verdict(r)
	}
}

// deliver hands on what comes until the end: nil when cancelled, else an *Error.
// Little stands on the stack while it waits, so that two KiB do for a stream to
// which nothing has come.
func (w *worker) deliver(channel amqp.Channel) (err error) {
	defer recovered(&err)
	defer channel.Close()
	for busy := false; err == nil && !w.cancelled.Load(); {
		switch {
		case w.crashing.Load():
			panic(planted(RoleWorker))
		case w.sink.crowded():
			w.pause()
			busy = false
		default:
			busy, err = w.next(channel)
		}
		if err == nil && !w.cancelled.Load() {
			err = w.settle(channel, busy)
		}
	}
	return err
}

// next waits for a delivery and hands it on; false says that w was roused
// instead.
func (w *worker) next(channel amqp.Channel) (delivered bool, err error) {
	delivery, err := channel.Next(w.wake)
	if err != nil {
		return false, lostError(err)
	}
	if delivery == nil || w.cancelled.Load() || w.crashing.Load() {
		return false, nil
	}
	w.hand(delivery)
	return true, nil
}

// crowdPause is how long a worker waits before it looks again whether its
// readers can take more. Short: the broker's queue grows meanwhile.
const crowdPause = 2 * time.Millisecond

// pause waits for readers that can take more.
func (w *worker) pause() {
	w.window.crowd()
	pause := time.NewTimer(crowdPause)
	defer pause.Stop()
	select {
	case <-w.wake:
	case <-pause.C:
	}
}

func (w *worker) hand(delivery *amqp.Delivery) {
	message, encoding := encode(*delivery, w.system.options.Limits.MessageBytes)
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
		return deletedError(err)
	}
	if reason := w.window.slow(depth); reason != "" {
		return &Error{Code: SlowConsumer, Reason: reason}
	}
	return nil
}
