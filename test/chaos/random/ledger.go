package random

import (
	"slices"
	"sort"
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

	shared  bool // see Harm.Deaf
	deaf    []deafness
	excused int // messages that streams missed in such times
}

// deafness is a time in which streams may miss messages, unsaid.
type deafness struct{ from, back, until time.Time }

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

// silence does what makes streams deaf for a while. Nothing is published meanwhile.
func (l *ledger) silence(during time.Duration, do func() error) (d deafness, err error) {
	d.from = time.Now()
	err = do()
	d.back = time.Now()
	d.until = d.back.Add(during)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.deaf = append(l.deaf, d)
	return d, err
}

// isExcused reports whether a stream that was opened at a time may miss a number; the
// caller holds mu.
func (l *ledger) isExcused(number int, opened time.Time) bool {
	at := l.started[number-1]
	return slices.ContainsFunc(l.deaf, func(d deafness) bool {
		return !at.Before(d.from) && at.Before(d.until) && (l.shared || opened.Before(d.back))
	})
}

// lost returns the first confirmed number between two, which a stream that
// received both should have received too; 0 for none.
func (l *ledger) lost(before, after int, opened time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	for n := before + 1; n < after && n <= len(l.sure); n++ {
		switch {
		case !l.sure[n-1]:
		case l.isExcused(n, opened):
			l.excused++
		default:
			return n
		}
	}
	return 0
}

// owed returns the first confirmed number from a number on whose publishing began
// after a moment; 0 for none. A stream that was ready then is owed it.
func (l *ledger) owed(from int, since, opened time.Time) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	first := sort.Search(len(l.started), func(i int) bool { return l.started[i].After(since) }) + 1
	for n := max(from, first); n <= len(l.sure); n++ {
		if l.sure[n-1] && !l.isExcused(n, opened) {
			return n
		}
	}
	return 0
}

// isSure reports whether the broker has confirmed a number. What it has not confirmed
// may come late: its publisher has given it up.
func (l *ledger) isSure(number int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return number <= len(l.sure) && l.sure[number-1]
}

func (l *ledger) excusedCount() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.excused
}

func (l *ledger) confirmed() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.count
}
