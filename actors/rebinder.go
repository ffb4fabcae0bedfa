package actors

import (
	"container/list"
	"errors"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// rebinder has the bindings of a link's queues repeated. An exchange that is deleted takes its
// bindings with it, and the broker tells no consumer: a stream whose exchange was made again would
// be deaf. Binding again does nothing where the binding is in place. An exchange that was made again
// may be one whose bind ends the link: a scout binds to it first, see recheck.
//
// Each worker binds on its own channel, when the rebinder asks it to, one worker of a link at a
// time: a broker that does not answer (a node of its cluster is frozen) holds up one stream of a
// link, not all. One goroutine runs while the link has queues. Its methods may be called
// concurrently.
type rebinder struct {
	link   amqp.Link
	work   *sync.WaitGroup // the core's
	rate   *rate.Limiter   // of bindings, for all links together
	period func() time.Duration
	usable func(amqp.Binding) error // as recheck.usable; nil: every exchange is

	mu      sync.Mutex
	queues  *list.List // of *rebound, as they become due
	asked   *rebound   // who binds now; nil: no worker does
	running bool
	wake    chan struct{} // one is enough: it says "look again"
}

// rebound is a queue whose bindings are repeated.
type rebound struct {
	bindings []amqp.Binding
	ask      func()       // asks its worker to bind, which then calls done or remove; it never waits
	refuse   func(*Error) // tells it that an exchange cannot be bound any more; it never waits
	due      time.Time
	place    *list.Element // nil once removed
}

const (
	// rebindRate is how many bindings a second are repeated for all streams together. Where there
	// are more than a period's worth, the period grows: 10,000 streams of one binding take 100 s.
	// 200 a second were measured (1,000 streams, every 5 s): 7 % of a core in the proxy, 16 % at
	// RabbitMQ 3.10.
	rebindRate = 100
	// rebindBurst is how many of them may come at once: a stream's bindings are repeated together.
	rebindBurst = 100
)

func newRebindLimiter() *rate.Limiter { return rate.NewLimiter(rebindRate, rebindBurst) }

func newRebinder(link amqp.Link, work *sync.WaitGroup, limiter *rate.Limiter, period func() time.Duration, usable func(amqp.Binding) error) *rebinder {
	return &rebinder{
		link: link, work: work, rate: limiter, period: period, usable: usable,
		queues: list.New(), wake: make(chan struct{}, 1),
	}
}

// add starts to have a queue's bindings repeated. The caller owes remove.
func (r *rebinder) add(bindings []amqp.Binding, ask func(), refuse func(*Error)) *rebound {
	e := &rebound{bindings: bindings, ask: ask, refuse: refuse}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.schedule(e)
	if !r.running {
		r.running = true
		r.work.Go(r.run)
	}
	return e
}

// done reports that the worker that was asked has bound its queue again.
func (r *rebinder) done(e *rebound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.finish(e)
}

// remove is called when the queue is gone, also by a worker that was asked.
func (r *rebinder) remove(e *rebound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.queues.Remove(e.place)
	e.place = nil
	r.finish(e)
	if r.queues.Len() == 0 {
		signal(r.wake)
	}
}

// finish lets the next worker be asked. mu is held.
func (r *rebinder) finish(e *rebound) {
	if r.asked == e {
		r.asked = nil
		signal(r.wake)
	}
}

// schedule puts the queue where it is due in a period from now. mu is held.
func (r *rebinder) schedule(e *rebound) {
	e.due = time.Now().Add(jitter(r.period()))
	if e.place == nil {
		e.place = r.queues.PushBack(e)
		return
	}
	r.queues.MoveToBack(e.place)
}

func (r *rebinder) run() {
	for {
		switch e, wait := r.next(); {
		case e == nil:
			return
		case wait > 0:
			r.sleep(wait)
		default:
			r.pace(e)
			if r.allowed(e) {
				r.askAndAwait(e)
			}
		}
	}
}

// next returns the queue that is due first and the time until then; nil when the goroutine is to
// end.
func (r *rebinder) next() (*rebound, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queues.Len() == 0 || isLost(r.link) {
		r.running = false
		return nil, 0
	}
	e := r.queues.Front().Value.(*rebound)
	wait := time.Until(e.due)
	if wait <= 0 {
		r.schedule(e)
	}
	return e, wait
}

// pace waits until the queue's bindings may be repeated without exceeding the rate.
func (r *rebinder) pace(e *rebound) {
	r.sleep(r.rate.ReserveN(time.Now(), min(len(e.bindings), rebindBurst)).Delay())
}

// allowed reports whether the queue's bindings may be repeated on a link with streams. Where an
// exchange cannot be bound any more it tells the worker; where no scout can be sent (a user may have
// a limit of connections), bindings are repeated as they were made, untried.
func (r *rebinder) allowed(e *rebound) bool {
	if r.usable == nil {
		return true
	}
	for i, b := range e.bindings {
		if i > 0 && b.Exchange == e.bindings[i-1].Exchange {
			continue
		}
		err := r.usable(b)
		if refused, ok := err.(*Error); ok && refused.Code == BindingRefused {
			r.refuse(e, refused)
		}
		if err != nil && !errors.Is(err, errNoScout) { // without room for its queue, say, it is not known
			return false
		}
	}
	return true
}

func (r *rebinder) refuse(e *rebound, err *Error) {
	r.mu.Lock()
	gone := e.place == nil
	r.mu.Unlock()
	if !gone {
		e.refuse(err)
	}
}

// askAndAwait asks the queue's worker and waits until it has bound, or is gone.
func (r *rebinder) askAndAwait(e *rebound) {
	r.mu.Lock()
	if e.place == nil {
		r.mu.Unlock()
		return
	}
	r.asked = e
	r.mu.Unlock()
	for e.ask(); r.isAsked(e); {
		select {
		case <-r.wake:
		case <-r.link.Lost():
			return
		}
	}
}

func (r *rebinder) isAsked(e *rebound) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked == e
}

// sleep waits; it is cut short where it is woken or the link ends.
func (r *rebinder) sleep(d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-r.wake:
	case <-r.link.Lost():
	}
}
