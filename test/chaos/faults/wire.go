package faults

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// wire measures what a toxiproxy does to connections, from outside: it stands on
// both sides of it and compares what goes in with what comes out. It is the
// independent sign of faults of the network.
//
//	client ── entry ── toxiproxy ── exit ── broker
type wire struct {
	target string       // what is behind the exit
	exit   net.Listener // where the toxiproxy dials
	exits  chan net.Conn

	dialing sync.Mutex // one connection at a time, so that entry and exit are paired
	open    sync.WaitGroup

	mu    sync.Mutex
	entry net.Listener // nil while the gate is shut
	pairs map[*pair]bool
	since time.Time // the traffic below is what happened from here on
	sum   traffic
}

// traffic is what was seen of a gate since it was last marked.
type traffic struct {
	Entered, Left       int64 // bytes, both ways
	PiecesIn, PiecesOut int64 // reads that they came in
	Held                time.Duration
	Cut                 int // connections that ended by neither of their ends
}

// pair is one connection through the gate.
type pair struct {
	wire  *wire
	conns [4]net.Conn // of the client, to the toxiproxy, from the toxiproxy, to the broker
	up    lane
	down  lane
	ended bool // by one of its ends, or counted as cut
	left  int  // ways that the toxiproxy has ended
}

// lane is one way of a pair: which bytes are under way, and since when.
type lane struct {
	entered, left int64
	marks         []mark
}

type mark struct {
	upTo int64
	at   time.Time
}

// pairPatience is how long the toxiproxy may take to dial.
const pairPatience = 5 * time.Second

func newWire(target string) (*wire, error) {
	exit, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{target: target, exit: exit, exits: make(chan net.Conn), pairs: map[*pair]bool{}, since: time.Now()}
	w.open.Go(w.acceptExits) // ends by close
	return w, nil
}

func (w *wire) acceptExits() {
	defer close(w.exits)
	for {
		conn, err := w.exit.Accept()
		if err != nil {
			return
		}
		select {
		case w.exits <- conn:
		case <-time.After(pairPatience): // its entry is removed
			conn.Close()
		}
	}
}

// listen opens the entry, at the same address each time but the first.
func (w *wire) listen(address, toxiproxy string) (string, error) {
	entry, err := net.Listen("tcp", address)
	if err != nil {
		return "", err
	}
	w.mu.Lock()
	w.entry = entry
	w.mu.Unlock()
	w.open.Go(func() { w.acceptEntries(entry, toxiproxy) }) // ends by shut
	return entry.Addr().String(), nil
}

func (w *wire) acceptEntries(entry net.Listener, toxiproxy string) {
	for {
		client, err := entry.Accept()
		if err != nil {
			return
		}
		w.open.Go(func() { w.join(client, toxiproxy) })
	}
}

// join makes a pair of a connection and passes bytes until it ends.
func (w *wire) join(client net.Conn, toxiproxy string) {
	in, out := w.through(toxiproxy)
	if in == nil || out == nil {
		hangUp(client, in, out)
		return
	}
	broker, err := net.Dial("tcp", w.target)
	if err != nil {
		hangUp(client, in, out)
		return
	}
	p := &pair{wire: w, conns: [4]net.Conn{client, in, out, broker}}
	w.mu.Lock()
	w.pairs[p] = true
	w.mu.Unlock()
	var passing sync.WaitGroup
	passing.Go(func() { p.pass(in, client, &p.up, true) })
	passing.Go(func() { p.pass(broker, out, &p.up, false) })
	passing.Go(func() { p.pass(out, broker, &p.down, true) })
	passing.Go(func() { p.pass(client, in, &p.down, false) })
	passing.Wait()
	w.mu.Lock()
	delete(w.pairs, p)
	w.mu.Unlock()
}

// through dials the toxiproxy and waits for it to dial the exit.
func (w *wire) through(toxiproxy string) (in, out net.Conn) {
	w.dialing.Lock()
	defer w.dialing.Unlock()
	in, err := net.Dial("tcp", toxiproxy)
	if err != nil {
		return nil, nil
	}
	select {
	case out = <-w.exits:
	case <-time.After(pairPatience):
	}
	return in, out
}

// pass moves bytes until one side ends, and passes that end on behind them.
// entering reports whether they go towards the toxiproxy.
func (p *pair) pass(to, from net.Conn, lane *lane, entering bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		byEnd := entering // an end has ended it where reading from one fails
		if n > 0 {
			p.note(lane, int64(n), entering)
			if _, broken := to.Write(buffer[:n]); broken != nil && err == nil {
				err, byEnd = broken, !entering
			}
		}
		switch {
		case err == nil:
		case errors.Is(err, net.ErrClosed): // another way has hung up
			hangUp(p.conns[:]...)
			return
		case !p.end(byEnd) && err == io.EOF:
			to.(*net.TCPConn).CloseWrite()
			return
		default:
			hangUp(p.conns[:]...)
			return
		}
	}
}

// note counts bytes that enter or leave.
func (p *pair) note(l *lane, n int64, entering bool) {
	w, now := p.wire, time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	if entering {
		l.entered += n
		l.marks = append(l.marks, mark{l.entered, now})
		w.sum.Entered += n
		w.sum.PiecesIn++
		return
	}
	l.left += n
	w.sum.Left += n
	w.sum.PiecesOut++
	for len(l.marks) > 0 && l.marks[0].upTo <= l.left {
		w.held(l.marks[0].at, now)
		l.marks = l.marks[1:]
	}
}

// held notes how long bytes were under way; the caller holds mu.
func (w *wire) held(from, to time.Time) {
	if from.Before(w.since) {
		from = w.since
	}
	w.sum.Held = max(w.sum.Held, to.Sub(from))
}

// end notes that one lane ends, and reports whether nothing can pass any more: the
// toxiproxy has ended both ways. Where it is the first to end the pair was cut.
func (p *pair) end(byEnd bool) (over bool) {
	p.wire.mu.Lock()
	defer p.wire.mu.Unlock()
	if !p.ended && !byEnd {
		p.wire.sum.Cut++
	}
	p.ended = true
	if !byEnd {
		p.left++
	}
	return p.left == 2
}

func hangUp(conns ...net.Conn) {
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
}

// mark begins a new account and returns nothing of the old one.
func (w *wire) mark() {
	w.mu.Lock()
	w.since, w.sum = time.Now(), traffic{}
	w.mu.Unlock()
}

// seen returns what has happened since the last mark.
func (w *wire) seen() traffic {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	for p := range w.pairs {
		for _, l := range []*lane{&p.up, &p.down} {
			if len(l.marks) > 0 {
				w.held(l.marks[0].at, now)
			}
		}
	}
	return w.sum
}

// shut closes the entry.
func (w *wire) shut() {
	w.mu.Lock()
	entry := w.entry
	w.entry = nil
	w.mu.Unlock()
	if entry != nil {
		entry.Close()
	}
}

// close ends everything and waits for it.
func (w *wire) close() {
	w.shut()
	w.exit.Close()
	w.mu.Lock()
	for p := range w.pairs {
		p.ended = true
		hangUp(p.conns[:]...)
	}
	w.mu.Unlock()
	for conn := range w.exits { // one that was not taken
		conn.Close()
	}
	w.open.Wait()
}
