package actors

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// newTestWindow also returns how often the window asked its worker to look: a
// timer and a writer may both do that.
func newTestWindow(prefetch int, limits Limits) (w *window, roused func() int64) {
	var times atomic.Int64
	return newWindow(limits, fixedPace(prefetch), func() { times.Add(1) }), times.Load
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
			w.markDelivered(tag, 1)
		}
		if tag := w.tagDue(false); tag != 0 || roused() != 0 {
			t.Fatalf("tag %d is due", tag)
		}
	})
}

// Half a window is worth a call at once; less waits for more, but not for long.
func TestWrittenDeliveriesAreAcknowledgedByHalfAWindowOrSoon(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(10, patient)
		w.markWritten(4)
		if roused() != 0 {
			t.Fatal("roused for less than half a window")
		}
		if w.tagDue(true) != 0 {
			t.Fatal("due while deliveries are coming")
		}
		elapse(flushAfter)
		if roused() != 1 || w.tagDue(false) != 4 {
			t.Fatalf("roused %d times", roused())
		}
		w.markWritten(9)
		if roused() != 2 || w.tagDue(true) != 9 {
			t.Fatalf("roused %d times for half a window", roused())
		}
		if w.tagDue(false) != 0 {
			t.Fatal("due twice")
		}
	})
}

// A reader that writes one by one makes one timer, not one for each.
func TestManyWritesAreOneFlush(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(1000, patient)
		for tag := uint64(1); tag <= 100; tag++ {
			w.markWritten(tag)
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
		w.markDelivered(1, 1)
		w.markWritten(1)
		if roused() != 1 || w.tagDue(true) != 1 {
			t.Fatal("the only delivery waits for another, which cannot come")
		}
	})
}

func TestAWindowThatIsNotFullIsNeverLookedAt(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(10, patient)
		w.markDelivered(9, 1)
		elapse(time.Hour)
		if w.checkDue() || roused() != 0 {
			t.Fatal("looked at")
		}
	})
}

// A full window is looked at every second, until it has not been full for one.
func TestAFullWindowIsLookedAtEverySecond(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, _ := newTestWindow(2, patient)
		defer w.stop()
		w.markDelivered(2, 1)
		for second := range 9 {
			elapse(checkEvery)
			if !w.checkDue() {
				t.Fatalf("not looked at after %d seconds", second+1)
			}
			if err := w.tooSlow(0); err != nil {
				t.Fatalf("slow after %d seconds: %s", second+1, err)
			}
		}
		elapse(checkEvery)
		if w.tooSlow(0) == nil {
			t.Fatal("not slow after ten seconds")
		}
	})
}

func TestAWindowThatMovesIsNotSlow(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, _ := newTestWindow(2, patient)
		defer w.stop()
		w.markDelivered(2, 1)
		for tag := uint64(1); tag < 10; tag++ {
			elapse(9 * time.Second)
			if err := w.tooSlow(0); err != nil {
				t.Fatalf("slow: %s", err)
			}
			w.markWritten(tag)
			w.tagDue(false)
			w.markDelivered(tag+2, 1)
		}
		w.markWritten(11)
		w.tagDue(false)
		elapse(checkEvery)
		w.tooSlow(0)
		elapse(checkEvery)
		w.tooSlow(0)
		if elapse(time.Hour); w.checkDue() {
			t.Fatal("looked at though it is empty")
		}
	})
}

// One large message to a slow client takes longer than SlowAfter, and nothing can be acknowledged
// meanwhile. That its bytes go out is what counts.
func TestAWindowWhoseMessageMovesIsNotSlow(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, _ := newTestWindow(2, patient)
		defer w.stop()
		w.markDelivered(2, 1)
		for range 60 {
			w.markMoving()
			elapse(checkEvery)
			if err := w.tooSlow(0); err != nil {
				t.Fatalf("slow: %s", err)
			}
		}
		for range 10 {
			elapse(checkEvery)
			if w.tooSlow(0) != nil {
				return // it has stopped
			}
		}
		t.Fatal("not slow ten seconds after the last byte")
	})
}

// A process that stood still, a suspended container, has not waited for its readers.
func TestAWindowThatIsCheckedLateIsNotSlowForThat(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, _ := newTestWindow(2, patient)
		defer w.stop()
		w.markDelivered(2, 1)
		elapse(130 * time.Second)
		if err := w.tooSlow(0); err != nil {
			t.Fatalf("slow: %s", err)
		}
		for second := range 10 {
			elapse(checkEvery)
			if err := w.tooSlow(0); (err != nil) != (second == 9) {
				t.Fatalf("after %d seconds more: %v", second+1, err)
			}
		}
	})
}

func TestABacklogBeyondTheLimitIsSlowAtOnce(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, _ := newTestWindow(2, patient)
		defer w.stop()
		w.markDelivered(2, 1)
		elapse(checkEvery)
		if err := w.tooSlow(100); err != nil {
			t.Fatalf("at the limit: %s", err)
		}
		if w.tooSlow(101) == nil {
			t.Fatal("over the limit, but not slow")
		}
	})
}

// Backpressure holds messages at the broker though the window is not full.
func TestBackpressureIsLookedAt(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(100, patient)
		defer w.stop()
		w.markFull()
		elapse(checkEvery)
		if !w.checkDue() || roused() != 1 || w.tooSlow(101) == nil {
			t.Fatal("the backlog under backpressure is not seen")
		}
	})
}

func TestAStoppedWindowRousesNobodyToLook(t *testing.T) {
	inTime(t, func(t *testing.T) {
		w, roused := newTestWindow(1, patient)
		w.markDelivered(1, 1)
		w.stop()
		if elapse(time.Minute); roused() != 0 {
			t.Fatal("roused")
		}
	})
}
