package actors

import (
	"slices"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// exchanges knows which exchanges of the broker were bound without harm, and who waits for one to be
// tried: requests for a lease, and feeds that have theirs. A broker may answer a bind by ending the
// whole link (an exchange of the kind x-jms-topic does it, with 541), so the first bind to each
// exchange is a scout's, on a link without streams.
//
// It is the broker actor's: it decides and does nothing.
type exchanges struct {
	bound   map[string]bool
	waiting map[string][]*trial     // by the exchange that is being tried, also where there are none
	owners  map[string]*trial       // by the owner's PID
	asked   map[string][]*actor.PID // who is to be told, by the exchange
}

// trial is a request that waits until its exchanges have been tried.
type trial struct {
	leaseRequest
	left map[string]bool // exchanges without a result yet
}

func newExchanges() *exchanges {
	return &exchanges{
		bound: map[string]bool{}, waiting: map[string][]*trial{}, owners: map[string]*trial{}, asked: map[string][]*actor.PID{},
	}
}

// known reports whether every exchange of the bindings was bound before.
func (e *exchanges) known(bindings []amqp.Binding) bool {
	for _, b := range bindings {
		if !e.bound[b.Exchange] {
			return false
		}
	}
	return true
}

// hold keeps a request until its unknown exchanges have been tried. It returns a binding to try for
// each that is not being tried already.
func (e *exchanges) hold(r leaseRequest) (try []amqp.Binding) {
	t := &trial{leaseRequest: r, left: map[string]bool{}}
	e.owners[r.owner.Id] = t
	for _, b := range r.bindings {
		if e.bound[b.Exchange] || t.left[b.Exchange] {
			continue
		}
		if _, tried := e.waiting[b.Exchange]; !tried {
			try = append(try, b)
		}
		t.left[b.Exchange] = true
		e.waiting[b.Exchange] = append(e.waiting[b.Exchange], t)
	}
	return try
}

// ask notes who is to be told when an exchange was tried, and reports whether a try is to begin.
func (e *exchanges) ask(exchange string, who *actor.PID) (try bool) {
	if !slices.ContainsFunc(e.asked[exchange], who.Equal) { // else it asks again
		e.asked[exchange] = append(e.asked[exchange], who)
	}
	_, tried := e.waiting[exchange]
	if !tried {
		e.waiting[exchange] = nil
	}
	return !tried
}

// answer returns who has asked for an exchange, once.
func (e *exchanges) answer(exchange string) (who []*actor.PID) {
	who = e.asked[exchange]
	delete(e.asked, exchange)
	return who
}

// passed is called when the exchange was bound without harm; or could not be tried, which does not
// make it known. It returns the requests that wait for nothing any more, in their order.
func (e *exchanges) passed(exchange string, tried bool) (requests []leaseRequest) {
	if tried {
		e.bound[exchange] = true
	}
	for _, t := range e.take(exchange) {
		delete(t.left, exchange)
		t.untried = t.untried || !tried
		if len(t.left) == 0 {
			delete(e.owners, t.owner.Id)
			requests = append(requests, t.leaseRequest)
		}
	}
	return requests
}

// failed is called when the exchange could not be bound. It returns the owners that asked for it.
func (e *exchanges) failed(exchange string) (owners []*actor.PID) {
	delete(e.bound, exchange)
	for _, t := range e.take(exchange) {
		owners = append(owners, t.owner)
		delete(e.owners, t.owner.Id)
	}
	return owners
}

// take returns the requests that still wait for an exchange, and waits for it no longer.
func (e *exchanges) take(exchange string) (trials []*trial) {
	for _, t := range e.waiting[exchange] {
		if e.owners[t.owner.Id] == t {
			trials = append(trials, t)
		}
	}
	delete(e.waiting, exchange)
	return trials
}

// withdraw forgets the owner's request, if there is one.
func (e *exchanges) withdraw(owner *actor.PID) { delete(e.owners, owner.Id) }

// clear forgets every request and returns the owners.
func (e *exchanges) clear() (owners []*actor.PID) {
	for _, t := range e.owners {
		owners = append(owners, t.owner)
	}
	clear(e.owners)
	clear(e.waiting)
	clear(e.asked)
	return owners
}

// forget makes every exchange unknown again: one of them has ended a link, or the broker is
// another.
func (e *exchanges) forget() { clear(e.bound) }
