package actors

import (
	"sync/atomic"
	"time"
)

// window is the account of one channel's deliveries: which are under way to the reader, which are
// written and not yet acknowledged. The worker holds it; only markWritten and markMoving are called
// by the reader.
//
//	acked ≤ written ≤ delivered ≤ acked + prefetch
//
// Acknowledgements go out by half a window, because each costs the broker as much as a delivery, or
// flushAfter after the first that waits.
type window struct {
	prefetch   atomic.Uint64 // in effect at present
	pace       pace
	limits     Limits
	wake       func()      // makes the worker look
	flushing   atomic.Bool // a flush is due
	checkTimer *time.Timer
	checkAt    time.Time // when the next check is due; zero: none
	delivered  uint64
	acked      atomic.Uint64
	written    atomic.Uint64
	moving     atomic.Bool // the reader is alive, though it has written nothing since the last check
	filled     bool        // the window was full since the last check
	fullSince  time.Time   // when it was filled last
}

const (
	// flushAfter is the longest an acknowledgement waits for others. At 30 messages a second to
	// each of a thousand streams, 50 ms cost a fifth of the throughput.
	flushAfter = 500 * time.Millisecond
	// checkEvery is the time between checks of a reader that fills its window.
	checkEvery = time.Second
)

func newWindow(limits Limits, p pace, wake func()) *window {
	w := &window{limits: limits, wake: wake}
	w.setPace(p)
	return w
}

// setPace replaces the pace before the first delivery.
func (w *window) setPace(p pace) {
	w.pace = p
	w.prefetch.Store(uint64(p.now))
}

// setPrefetch notes that the broker has taken another prefetch.
func (w *window) setPrefetch(n int) {
	wasFull := w.full()
	w.pace.set(n)
	if w.prefetch.Store(uint64(n)); !wasFull && w.full() {
		w.fullSince = time.Now()
		w.markFull()
	}
}

// markWritten notes that the reader has written everything up to tag.
func (w *window) markWritten(tag uint64) {
	w.written.Store(tag)
	if tag-w.acked.Load() >= w.batch() {
		w.wake()
		return
	}
	if !w.flushing.Swap(true) {
		time.AfterFunc(flushAfter, w.flush)
	}
}

// markMoving notes that the reader is in the middle of a message that goes on.
func (w *window) markMoving() { w.moving.Store(true) }

func (w *window) flush() {
	w.flushing.Store(false)
	w.wake()
}

func (w *window) batch() uint64 { return max(1, w.prefetch.Load()/2) }

// markDelivered notes that a delivery is on its way to the reader.
func (w *window) markDelivered(tag uint64, size int) {
	w.pace.delivered(size)
	wasFull := w.full()
	if w.delivered = tag; !wasFull && w.full() {
		w.fullSince = time.Now()
		w.markFull()
	}
}

// full reports whether no further delivery comes before one is acknowledged.
func (w *window) full() bool { return w.delivered-w.acked.Load() >= w.prefetch.Load() }

// markFull notes that the readers cannot take more, so that messages wait at the broker.
func (w *window) markFull() {
	w.filled = true
	if w.checkAt.IsZero() {
		w.arm()
	}
}

// tagDue returns the tag to acknowledge now, 0 for none. While deliveries are coming (busy), that
// waits for half a window.
func (w *window) tagDue(busy bool) uint64 {
	written, acked := w.written.Load(), w.acked.Load()
	if written == acked || (busy && written-acked < w.batch()) {
		return 0
	}
	w.acked.Store(written)
	if w.full() { // still, after the prefetch has become smaller: but the reader reads
		w.fullSince = time.Now()
	}
	return written
}

// checkDue reports whether a reader that fills its window is to be checked now.
func (w *window) checkDue() bool {
	return !w.checkAt.IsZero() && !time.Now().Before(w.checkAt)
}

// tooSlow checks the reader, depth being the number of messages that wait at the broker. It returns
// why the stream is to be cut; or nil, and the next check is due in checkEvery if one is needed.
func (w *window) tooSlow(depth int) *Error {
	if late := time.Since(w.checkAt); w.moving.Swap(false) || late > checkEvery {
		w.fullSince = time.Now() // a process that stood still has not waited for its reader
	}
	full := w.full()
	switch {
	case depth > w.limits.Backlog:
		return errTooManyWaiting
	case full && time.Since(w.fullSince) >= w.limits.SlowAfter:
		return errStoppedReading
	case full || w.filled:
		w.filled = full
		w.arm()
	default:
		w.checkAt = time.Time{}
	}
	return nil
}

func (w *window) arm() {
	w.checkAt = time.Now().Add(checkEvery)
	if w.checkTimer == nil {
		w.checkTimer = time.AfterFunc(checkEvery, w.wake)
		return
	}
	w.checkTimer.Reset(checkEvery)
}

// stop ends the timer of the checks.
func (w *window) stop() {
	if w.checkTimer != nil {
		w.checkTimer.Stop()
	}
}
