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
// link, not all. That one is told in callTimeout, and then the next worker is asked. One goroutine
// runs while the link has queues. Its methods may be called concurrently.
type rebinder struct {
	link   amqp.Link
	work   *sync.WaitGroup // the core's
	count  *counters
	rate   *rate.Limiter // of bindings, for all links together
	period func() time.Duration
	usable func(amqp.Binding, func(error)) // as broker.recheck returns it; nil: every exchange is

	mu      sync.Mutex
	queues  *list.List // of *rebound, as they become due
	allowed []*rebound // whose exchanges were tried: they bind next
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
	trying   bool          // its exchanges are being tried
	late     bool          // its worker was asked, and has had no answer in time: it is not asked until it has
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

func newRebinder(link amqp.Link, work *sync.WaitGroup, count *counters, limiter *rate.Limiter, period func() time.Duration,
	usable func(amqp.Binding, func(error))) *rebinder {
	return &rebinder{
		link: link, work: work, count: count, rate: limiter, period: period, usable: usable,
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
	e.late = false
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
		switch todo, e, wait := r.next(); todo {
		case rebindNothing:
			return
		case rebindLater:
			r.sleep(wait)
		case rebindTry:
			r.pace(e)
			r.try(e, 0)
		case rebindBind:
			r.askAndAwait(e)
		}
	}
}

// rebindStep is what the goroutine does next.
type rebindStep int

const (
	rebindNothing rebindStep = iota // it ends
	rebindLater                     // it waits until the next queue is due
	rebindTry                       // a queue is due: its exchanges are tried
	rebindBind                      // they were: it binds
)

func (r *rebinder) next() (step rebindStep, e *rebound, wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queues.Len() == 0 || isLost(r.link) {
		r.running = false
		return rebindNothing, nil, 0
	}
	if len(r.allowed) > 0 {
		e, r.allowed = r.allowed[0], r.allowed[1:]
		return rebindBind, e, 0
	}
	e = r.queues.Front().Value.(*rebound)
	if wait = time.Until(e.due); wait > 0 {
		return rebindLater, nil, wait
	}
	r.schedule(e)
	if e.trying || e.late {
		return rebindLater, nil, 0 // by its next time it may have an answer
	}
	e.trying = true
	return rebindTry, e, 0
}

// pace waits until the queue's bindings may be repeated without exceeding the rate, or the link ends.
func (r *rebinder) pace(e *rebound) {
	pauseOn(r.link, r.rate.ReserveN(time.Now(), min(len(e.bindings), rebindBurst)).Delay(), nil)
}

// try has the queue's exchanges tried from the i-th binding on, one after the other. It does not wait:
// an exchange whose scout gets no answer holds up the queues that are bound to it, and no other.
func (r *rebinder) try(e *rebound, i int) {
	for r.usable != nil && i < len(e.bindings) {
		if b := e.bindings[i]; i == 0 || b.Exchange != e.bindings[i-1].Exchange {
			r.usable(b, func(err error) { r.tried(e, i, err) })
			return
		}
		i++
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.trying = false
	if e.place != nil {
		r.allowed = append(r.allowed, e)
		signal(r.wake)
	}
}

// tried goes on where the exchange of the i-th binding may be bound, see recheck; where it cannot be
// any more, the queue's worker is told.
func (r *rebinder) tried(e *rebound, i int, err error) {
	var told *Error
	switch {
	case err == nil:
		r.try(e, i+1)
		return
	case errors.Is(err, errUntried), errors.Is(err, errNoScout), isRoomless(err):
		r.count.rebindsUntried.Add(1)
		r.try(e, i+1)
		return
	case errors.As(err, &told) && told.Code == BindingRefused:
		r.refuse(e, told)
	default:
		r.count.rebindsSkipped.Add(1)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	e.trying = false
}

func (r *rebinder) refuse(e *rebound, err *Error) {
	r.mu.Lock()
	gone := e.place == nil
	r.mu.Unlock()
	if !gone {
		e.refuse(err)
	}
}

// askAndAwait asks the queue's worker and waits until it has bound, or is gone, or is late.
func (r *rebinder) askAndAwait(e *rebound) {
	r.mu.Lock()
	if e.place == nil {
		r.mu.Unlock()
		return
	}
	r.asked = e
	r.mu.Unlock()
	late := time.NewTimer(callTimeout)
	defer late.Stop()
	for e.ask(); r.isAsked(e); {
		select {
		case <-r.wake:
		case <-late.C:
			r.giveUp(e)
		case <-r.link.Lost():
			return
		}
	}
}

// giveUp lets the next worker be asked in the place of one that has had no answer.
func (r *rebinder) giveUp(e *rebound) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asked == e {
		e.late, r.asked = true, nil
	}
}

func (r *rebinder) isAsked(e *rebound) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked == e
}

// sleep waits; it is cut short where it is woken or the link ends.
func (r *rebinder) sleep(d time.Duration) { pauseOn(r.link, d, r.wake) }
