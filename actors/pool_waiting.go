package actors

import (
	"container/list"

	"github.com/asynkron/protoactor-go/actor"
)

// The requests of the pool that wait for a lease, in their order.

// channels returns how many channels the request is for.
func (r leaseRequest) channels() int {
	if r.beside {
		return 2
	}
	return 1
}

// wait puts a request at the end of the queue, unless its owner waits or has a lease already.
func (p *pool) wait(r leaseRequest) {
	if p.places[r.owner.Id] == nil && p.leases[r.owner.Id] == nil {
		p.places[r.owner.Id] = p.waiting.PushBack(r)
	}
}

// first returns the request that has waited longest.
func (p *pool) first() (leaseRequest, bool) {
	if front := p.waiting.Front(); front != nil {
		return front.Value.(leaseRequest), true
	}
	return leaseRequest{}, false
}

// withdraw takes an owner's request out of the queue, if there is one.
func (p *pool) withdraw(owner *actor.PID) {
	if place := p.places[owner.Id]; place != nil {
		p.stopWaiting(place)
	}
}

// clearWaiting empties the queue and returns the owners that waited.
func (p *pool) clearWaiting() []*actor.PID {
	var all []*actor.PID
	for p.waiting.Len() > 0 {
		all = append(all, p.stopWaiting(p.waiting.Front()).owner)
	}
	return all
}

func (p *pool) stopWaiting(place *list.Element) leaseRequest {
	r := p.waiting.Remove(place).(leaseRequest)
	delete(p.places, r.owner.Id)
	return r
}
