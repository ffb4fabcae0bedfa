package random

import "sync"

// ledger knows which numbers were surely published: the publisher's broker
// took the message. About the others nothing can be said.
type ledger struct {
	mu   sync.Mutex
	sure map[int]bool
	last int
}

func newLedger() *ledger { return &ledger{sure: map[int]bool{}} }

// next gives the number to publish.
func (l *ledger) next() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	return l.last
}

func (l *ledger) published(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sure[number] = true
}

// lost gives the first number between two that a stream received one after the
// other which should have come between them; 0 for none. One publisher
// publishes in order, so what lies before a received number is settled.
func (l *ledger) lost(before, after int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := before + 1; n < after; n++ {
		if l.sure[n] {
			return n
		}
	}
	return 0
}

func (l *ledger) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.sure)
}
