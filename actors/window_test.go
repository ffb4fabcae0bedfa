package actors

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// newTestWindow also gives how often the window asked its worker to look: a
// timer and a writer may both do that.
func newTestWindow(prefetch int, limits Limits) (w *window, roused func() int64) {
	var times atomic.Int64
	return newWindow(limits, prefetch, func() { times.Add(1) }), times.Load
}

var patient = Limits{SlowAfter: 10 * time.Second, Backlog: 100}

func inTime(t *testing.T, test func(t *testing.T)) { t.Helper(); synctest.Test(t, test) }

// elapse lets the bubble's time go by.
func elapse(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestNothingIsDueBeforeItIsWritten(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(4, patient)
		defer w.stop()
		for tag := uint64(1); tag <= 4; tag++ {
			w.deliver(tag)
		}
		if tag := w.due(false); tag != 0 || roused() != 0 {
			t.Fatalf("tag %d is due", tag)
		}
	})
}

// Half a window is worth a call at once; less waits for more, but not for long.
func TestWrittenDeliveriesAreAcknowledgedByHalfAWindowOrSoon(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(10, patient)
		w.write(4)
		if roused() != 0 {
			t.Fatal("roused for less than half a window")
		}
		if w.due(true) != 0 {
			t.Fatal("due while deliveries are coming")
		}
		elapse(flushAfter)
		if roused() != 1 || w.due(false) != 4 {
			t.Fatalf("roused %d times", roused())
		}
		w.write(9)
		if roused() != 2 || w.due(true) != 9 {
			t.Fatalf("roused %d times for half a window", roused())
		}
		if w.due(false) != 0 {
			t.Fatal("due twice")
		}
	})
}

// A reader that writes one by one makes one timer, not one for each.
func TestManyWritesAreOneFlush(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(1000, patient)
		for tag := uint64(1); tag <= 100; tag++ {
			w.write(tag)
		}
		elapse(time.Second)
		if roused() != 1 {
			t.Fatalf("roused %d times", roused())
		}
	})
}

func TestAWindowOfOneIsAcknowledgedAtOnce(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(1, patient)
		defer w.stop()
		w.deliver(1)
		w.write(1)
		if roused() != 1 || w.due(true) != 1 {
			t.Fatal("the only delivery waits for another, which cannot come")
		}
	})
}

func TestAWindowThatIsNotFullIsNeverLookedAt(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(10, patient)
		w.deliver(9)
		elapse(time.Hour)
		if w.lookDue() || roused() != 0 {
			t.Fatal("looked at")
		}
	})
}

// A full window is looked at every second, until it has not been full for one.
func TestAFullWindowIsLookedAtEverySecond(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, _ := newTestWindow(2, patient)
		defer w.stop()
		w.deliver(2)
		for second := range 9 {
			elapse(lookEvery)
			if !w.lookDue() {
				t.Fatalf("not looked at after %d seconds", second+1)
			}
			if reason := w.slow(0); reason != "" {
				t.Fatalf("slow after %d seconds: %s", second+1, reason)
			}
		}
		elapse(lookEvery)
		if w.slow(0) == "" {
			t.Fatal("not slow after ten seconds")
		}
	})
}

func TestAWindowThatMovesIsNotSlow(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, _ := newTestWindow(2, patient)
		defer w.stop()
		w.deliver(2)
		for tag := uint64(1); tag < 10; tag++ {
			elapse(9 * time.Second)
			if reason := w.slow(0); reason != "" {
				t.Fatalf("slow: %s", reason)
			}
			w.write(tag)
			w.due(false)
			w.deliver(tag + 2)
		}
		w.write(11)
		w.due(false)
		elapse(lookEvery)
		w.slow(0)
		elapse(lookEvery)
		w.slow(0)
		if elapse(time.Hour); w.lookDue() {
			t.Fatal("looked at though it is empty")
		}
	})
}

func TestABacklogBeyondTheLimitIsSlowAtOnce(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, _ := newTestWindow(2, patient)
		defer w.stop()
		w.deliver(2)
		elapse(lookEvery)
		if reason := w.slow(100); reason != "" {
			t.Fatalf("at the limit: %s", reason)
		}
		if w.slow(101) == "" {
			t.Fatal("over the limit, but not slow")
		}
	})
}

// A crowd of readers holds messages at the broker though the window is not full.
func TestACrowdIsLookedAt(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(100, patient)
		defer w.stop()
		w.crowd()
		elapse(lookEvery)
		if !w.lookDue() || roused() != 1 || w.slow(101) == "" {
			t.Fatal("a crowd's backlog is not seen")
		}
	})
}

func TestAStoppedWindowRousesNobodyToLook(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(1, patient)
		w.deliver(1)
		w.stop()
		if elapse(time.Minute); roused() != 0 {
			t.Fatal("roused")
		}
	})
}
