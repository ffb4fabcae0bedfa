package random

import (
	"sync"
	"time"
)

// ledger knows which numbers were surely published: the broker has confirmed
// them. Nothing can be said about the others. Its methods may be called
// concurrently; numbers are entered by one goroutine, in order.
type ledger struct {
	mu      sync.Mutex
	started []time.Time // when publishing of number i+1 began
	sure    []bool
	count   int
}

// next returns the number to publish.
func (l *ledger) next(now time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started, l.sure = append(l.started, now), append(l.sure, false)
	return len(l.started)
}

func (l *ledger) published(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sure[number-1] = true
	l.count++
}

// lost returns the first confirmed number between two, which a stream that
// received both should have received too; 0 for none.
func (l *ledger) lost(before, after int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := before + 1; n < after && n <= len(l.sure); n++ {
		if l.sure[n-1] {
			return n
		}
	}
	return 0
}

// owed returns the first confirmed number from a number on whose publishing began
// after a moment; 0 for none. A stream that was ready then is owed it.
func (l *ledger) owed(from int, since time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := max(from, 1); n <= len(l.sure); n++ {
		if l.sure[n-1] && l.started[n-1].After(since) {
			return n
		}
	}
	return 0
}

func (l *ledger) confirmed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}
