package actors

import (
	"cmp"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// worker is the goroutine that holds one AMQP channel: it alone calls it, and closes it exactly
// once. Its owner is a consumer actor.
//
//	declare ▸ consume ▸ bind… ▸ ready ▸ deliver, acknowledge … ▸ close
//
// Up to ready it is opening.go, after that it is here.
type worker struct {
	core    *core
	lease   lease
	intake  intake
	report  func(any) // to the consumer: subscribed once, exited at the end
	queue   string
	window  *window
	rebound *rebound      // nil until every binding is in place
	wake    chan struct{} // one is enough: it says "look again"

	unconsumed bool // the queue is made and has no consumer yet, see deleteQueue

	cancelled atomic.Bool
	crashing  atomic.Bool
	rebinding atomic.Bool           // the bindings are to be repeated
	proving   atomic.Bool           // a call is to be made
	refused   atomic.Pointer[Error] // why they cannot be; nil: they can
}

// intake is what a consumer is to take from the broker, and where it goes.
type intake struct {
	queue    string // its name; empty: a new one
	bindings []amqp.Binding
	prefetch int // deliveries under way at once: few to one reader, more to a hub, which holds none back
	bytes    int // of those deliveries, see pace; 0: no limit
	sink     sink
	mapper   mapper // of the only reader; nil: its messages are not changed
}

// sink is where a worker's deliveries go. Its methods never wait.
type sink interface {
	// ready reports that every binding is in place, and who is told about written messages. It
	// comes once, before any message.
	ready(a acknowledger)
	// wants reports whether a delivery is for any reader. One that is not is acknowledged, and
	// neither decoded nor encoded; of any other, deliver is called next.
	wants(d *amqp.Delivery) bool
	// deliver hands one message on.
	deliver(m *Message)
	// backpressure reports whether the readers cannot take more at present, so that the broker
	// should keep what it has.
	backpressure() bool
}

func newWorker(c *core, l lease, in intake) *worker {
	w := &worker{
		core: c, lease: l, intake: in,
		queue: cmp.Or(in.queue, amqp.QueueName(c.options.Namespace)), wake: make(chan struct{}, 1),
	}
	w.window = newWindow(*c.limits(), newPace(in.prefetch, in.bytes), w.look)
	return w
}

// start runs the worker, and Close waits for it. Opening and serving have a goroutine each, one
// after the other: opening needs four times the stack, and most of a stream's life is waiting.
func (w *worker) start() {
	c := w.core
	c.count.workers.Add(1)
	w.lease.join()
	c.work.Go(func() {
		channel, err := w.open()
		if channel == nil {
			w.exit(err)
			return
		}
		c.work.Add(1)
		go w.serve(channel) // ends when cancelled, or when the channel does
	})
}

// cancel asks the worker to end. It may be called concurrently and repeatedly.
func (w *worker) cancel() {
	w.cancelled.Store(true)
	w.look()
}

// crash makes the worker panic.
func (w *worker) crash() {
	w.crashing.Store(true)
	w.look()
}

// look wakes the worker where it waits for a delivery.
func (w *worker) look() { signal(w.wake) }

// acknowledge reports that the reader has written everything up to tag.
func (w *worker) acknowledge(tag uint64) { w.window.markWritten(tag) }

// moving reports that the reader is in the middle of a message that goes on.
func (w *worker) moving() { w.window.markMoving() }

func (w *worker) serve(channel amqp.Channel) {
	defer w.core.work.Done()
	w.exit(w.deliver(channel))
}

// exit is the worker's last act.
func (w *worker) exit(err error) {
	w.window.stop()
	err = w.lease.failure(err)
	w.endUpkeep()
	w.lease.release()
	w.core.count.workers.Add(-1)
	w.report(exited{err: err})
}

// deliver hands on what comes until the end. It returns nil when cancelled, else an *Error. Little
// stands on the stack while it waits, so that two KiB do for a stream to which nothing has come.
func (w *worker) deliver(channel amqp.Channel) (err error) {
	defer recovered(&err)
	defer channel.Close()
	for busy := false; err == nil && !w.cancelled.Load(); {
		switch {
		case w.crashing.Load():
			panic(requestedFailure(RoleWorker))
		case w.intake.sink.backpressure():
			w.pause()
			busy = false
		default:
			busy, err = w.next(channel)
		}
		if err == nil && !w.cancelled.Load() {
			err = w.keepUp(channel, busy)
		}
	}
	return err
}

// refuse ends the worker: an exchange of its bindings cannot be bound any more. It may be called
// concurrently.
func (w *worker) refuse(err *Error) {
	w.refused.Store(err)
	w.look()
}

// askToRebind has the bindings repeated. It may be called concurrently.
func (w *worker) askToRebind() {
	w.rebinding.Store(true)
	w.look()
}

// prove has a call made that changes nothing. It may be called concurrently.
func (w *worker) prove() {
	w.proving.Store(true)
	w.look()
}

// rebind repeats the bindings. Where the broker refuses one of them now, the stream ends. It has a
// goroutine of its own meanwhile, for the reason that opening has.
func (w *worker) rebind(channel amqp.Channel) error {
	w.rebinding.Store(false)
	bound := make(chan error, 1)
	w.core.work.Go(func() { bound <- w.bindAgain(channel) })
	return <-bound
}

func (w *worker) bindAgain(channel amqp.Channel) (err error) {
	defer recovered(&err)
	for _, binding := range w.intake.bindings {
		if w.cancelled.Load() {
			return nil
		}
		if err := w.call(func() error { return channel.Bind(w.queue, binding) }); err != nil {
			return rebindFailure(err, w.queue)
		}
	}
	w.lease.upkeep.rebinder.done(w.rebound)
	return nil
}

// next waits for a delivery and hands it on. It returns false where the worker was woken instead.
func (w *worker) next(channel amqp.Channel) (delivered bool, err error) {
	delivery, err := channel.Next(w.wake)
	if err != nil {
		return false, lossFailure(err)
	}
	if delivery == nil || w.cancelled.Load() || w.crashing.Load() {
		return false, nil
	}
	w.hand(delivery)
	return true, nil
}

// adjustPace changes how many deliveries may be under way, where their sizes ask for it. A message
// that all streams get has them all ask for more at the same moment: no more of a link do so at a time
// than channels are opened, or a call would wait behind hundreds of others until it counts as
// unanswered. The others go on as they are, and ask after their next delivery.
func (w *worker) adjustPace(channel amqp.Channel) error {
	n := w.window.pace.change()
	if n == 0 {
		return nil
	}
	if n > w.window.pace.now {
		select {
		case w.lease.upkeep.raises <- struct{}{}:
			defer func() { <-w.lease.upkeep.raises }()
		default:
			return nil
		}
	}
	var changed bool
	err := w.call(func() (err error) {
		changed, err = channel.(amqp.Prefetcher).Prefetch(w.queue, n)
		return err
	})
	if err != nil {
		return depthFailure(err)
	}
	if changed {
		w.window.setPrefetch(n)
	}
	return nil
}

// backpressurePause is how long a worker waits before it asks again whether its readers can take
// more. It is short: the broker's queue grows meanwhile.
const backpressurePause = 2 * time.Millisecond

// pause waits while the readers cannot take more.
func (w *worker) pause() {
	w.window.markFull()
	pause := time.NewTimer(backpressurePause)
	defer pause.Stop()
	select {
	case <-w.wake:
	case <-pause.C:
	}
}

func (w *worker) hand(delivery *amqp.Delivery) {
	if !w.intake.sink.wants(delivery) {
		w.core.count.countUnwanted(delivery)
		w.window.markDelivered(delivery.Tag, len(delivery.Body))
		w.acknowledge(delivery.Tag)
		return
	}
	maxBytes := w.core.limits().MessageBytes
	message := newMessage(*delivery, maxBytes)
	if own := w.intake.mapper; own != nil {
		if message = own.mapped(message); message == nil {
			w.core.count.countUnread(delivery)
			w.window.markDelivered(delivery.Tag, 0)
			own.skip(delivery.Tag)
			return
		}
	}
	encoding := message.encode(maxBytes)
	w.core.count.countMessage(message, len(delivery.Body), encoding)
	w.lease.upkeep.taken.Add(1)
	w.window.markDelivered(delivery.Tag, sizeOf(message))
	w.intake.sink.deliver(message)
}

// keepUp acknowledges what was written, and ends the stream of a reader that is too slow. busy
// means that deliveries are coming, so that acknowledging can wait for more. Where it is time, the
// bindings are repeated first. What is seldom done has a function of its own, so that little stands
// on the stack while nothing is.
func (w *worker) keepUp(channel amqp.Channel, busy bool) error {
	if busy {
		if err := w.adjustPace(channel); err != nil {
			return err
		}
	}
	if err := w.refused.Load(); err != nil {
		return err
	}
	if w.rebinding.Load() {
		if err := w.rebind(channel); err != nil {
			return err
		}
	}
	if w.proving.Swap(false) {
		if _, err := w.depth(channel); err != nil {
			return err
		}
	}
	if tag := w.window.tagDue(busy); tag > 0 {
		if err := channel.Acknowledge(tag); err != nil {
			return lossFailure(err)
		}
	}
	if w.window.checkDue() {
		return w.check(channel)
	}
	return nil
}

// check ends the stream of a reader that is too slow.
func (w *worker) check(channel amqp.Channel) error {
	depth, err := w.depth(channel)
	if err != nil {
		return err
	}
	if err := w.window.tooSlow(depth); err != nil {
		return err
	}
	return nil
}

// depth returns the number of messages that wait in the queue.
func (w *worker) depth(channel amqp.Channel) (depth int, err error) {
	err = w.call(func() (err error) {
		depth, err = channel.Depth(w.queue)
		return err
	})
	if err != nil {
		return 0, depthFailure(err)
	}
	return depth, nil
}

// call makes a call on the channel that is consuming. The broker actor knows of it meanwhile: where
// it is not answered in time, the owner is told and the link is retired.
func (w *worker) call(do func() error) error {
	w.lease.calling()
	defer w.lease.progressed()
	return do()
}
