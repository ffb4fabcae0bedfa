package httpapi

import (
	"sync"
	"syscall"
)

// place is where a connection is in its poller's list.
type place struct {
	slot, life int32
	watched    bool
}

func newEnds() ends { return &poller{} }

// poller is ends with one epoll for all plain sockets: no goroutine for each,
// which is 3 KiB of an idle stream's 8. Other connections, TLS above all, have
// a reader each.
type poller struct {
	readers

	mu    sync.Mutex
	epoll *epoll // nil while nothing is watched
	slots []slot
	free  []int32 // slots that are not in use
	lives int32   // uses of slots so far; may wrap
}

// slot is a place in the list. Every use of a slot is another life, so that a
// late event of a connection that is gone does not hit the next one.
type slot struct {
	c    *hijacked
	life int32
}

func (p *poller) watch(c *hijacked) {
	socket, ok := c.conn.(syscall.Conn) // TLS has none
	if !ok || p.enter(c, socket) != nil {
		p.readers.watch(c)
	}
}

// enter takes a connection into the list, unless it is closed already.
func (p *poller) enter(c *hijacked, socket syscall.Conn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.closed.Load() {
		return nil
	}
	if p.epoll == nil {
		e, err := newEpoll()
		if err != nil {
			return err
		}
		p.epoll = e
		go e.run(p.noticed) // owner: p, whose drop ends it with the last connection
	}
	p.take(c)
	err := p.epoll.add(socket, c.place.slot, c.place.life)
	if err != nil {
		p.drop(c)
	}
	return err
}

// forget takes a connection off the list. The close of its socket, which comes
// next, takes it out of the epoll.
func (p *poller) forget(c *hijacked) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.place.watched {
		p.drop(c)
	}
}

// take is called under the lock, as is drop.
func (p *poller) take(c *hijacked) {
	if len(p.free) == 0 {
		p.slots = append(p.slots, slot{})
		p.free = append(p.free, int32(len(p.slots)-1))
	}
	last := len(p.free) - 1
	c.place = place{slot: p.free[last], life: p.lives, watched: true}
	p.free = p.free[:last]
	p.slots[c.place.slot] = slot{c, p.lives}
	p.lives++
}

func (p *poller) drop(c *hijacked) {
	p.slots[c.place.slot] = slot{}
	p.free = append(p.free, c.place.slot)
	c.place.watched = false
	if len(p.free) == len(p.slots) {
		p.epoll.close()
		p.epoll, p.slots, p.free = nil, nil, nil
	}
}

// noticed handles one event of the epoll.
func (p *poller) noticed(place, life int32, gone bool) {
	p.mu.Lock()
	var c *hijacked
	if int(place) < len(p.slots) && p.slots[place].life == life {
		c = p.slots[place].c
	}
	p.mu.Unlock()
	if c != nil && (gone || !discard(c.conn)) {
		c.close()
	}
}
