package httpapi

import (
	"sync"
	"time"
)

// place is where a connection is in its poller's list.
type place struct {
	slot, use int32
	listed    bool
}

func newPeerWatcher() peerWatcher { return &poller{} }

// poller is a peerWatcher with one epoll for all plain sockets: no goroutine for
// each, which is 3 KiB of an idle stream's 8. Other connections, TLS above all,
// have a reader each.
type poller struct {
	readers

	mu    sync.Mutex
	epoll *epoll // nil while nothing is watched
	slots []slot
	free  []int32 // slots that are not in use
	uses  int32   // of slots so far; may wrap
}

// slot is a place in the list. Every use of a slot has another number, so that a
// late event of a connection that is gone does not hit the next one.
type slot struct {
	c   watched
	use int32
}

func (p *poller) watch(c watched) {
	if c.side().raw == nil || p.enter(c) != nil {
		p.readers.watch(c)
	}
}

// enter takes a connection into the list, unless it is closed already.
func (p *poller) enter(c watched) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	peer := c.side()
	if peer.closed.Load() {
		return nil
	}
	if p.epoll == nil {
		e, err := newEpoll()
		if err != nil {
			return err
		}
		p.epoll = e
		go e.run(p.handleEvent) // owner: p, whose release ends it with the last connection
	}
	p.take(c)
	err := p.epoll.add(peer.raw, peer.place.slot, peer.place.use)
	if err != nil {
		p.release(peer)
	}
	return err
}

// forget takes a connection off the list. The close of its socket, which comes
// next, takes it out of the epoll.
func (p *poller) forget(c watched) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if peer := c.side(); peer.place.listed {
		p.release(peer)
	}
}

// take assigns a slot to a connection. It must be called under the lock, as must release.
func (p *poller) take(c watched) {
	if len(p.free) == 0 {
		p.slots = append(p.slots, slot{})
		p.free = append(p.free, int32(len(p.slots)-1))
	}
	last := len(p.free) - 1
	place := place{slot: p.free[last], use: p.uses, listed: true}
	p.free = p.free[:last]
	p.slots[place.slot] = slot{c, place.use}
	c.side().place = place
	p.uses++
}

// release frees a connection's slot, and the epoll with the last.
func (p *poller) release(peer *peer) {
	p.slots[peer.place.slot] = slot{}
	p.free = append(p.free, peer.place.slot)
	peer.place.listed = false
	if len(p.free) == len(p.slots) {
		p.epoll.close()
		p.epoll, p.slots, p.free = nil, nil, nil
	}
}

// handleEvent handles one event of the epoll.
func (p *poller) handleEvent(place, use int32, gone bool) {
	p.mu.Lock()
	var c watched
	if int(place) < len(p.slots) && p.slots[place].use == use {
		c = p.slots[place].c
	}
	p.mu.Unlock()
	if c == nil {
		return
	}
	n, alive := 0, !gone
	if alive {
		n, alive = discard(c.side().raw)
	}
	switch {
	case !alive:
		c.close()
	case c.side().overdone(n):
		p.listen(c, false)
		time.AfterFunc(discardPause, func() { p.listen(c, true) })
	}
}

// listen turns the watch for what a connection's client sends on or off. Its end is
// watched for either way.
func (p *poller) listen(c watched, on bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if peer := c.side(); peer.place.listed {
		_ = p.epoll.change(peer.raw, peer.place.slot, peer.place.use, on) // fails with the socket
	}
}
