package actors

import (
	"testing"
	"time"
)

func TestTheCeilingOfABackoffDoublesUpToItsMost(t *testing.T) {
	b := backoff{first: 100 * time.Millisecond, most: time.Second}
	almost := func() float64 { return 0.9999999999 }
	for attempt, ceiling := range []time.Duration{100, 200, 400, 800, 1000, 1000} {
		ceiling *= time.Millisecond
		if have := b.delay(attempt, almost); have > ceiling || have < ceiling-time.Microsecond {
			t.Errorf("try %d waits up to %s, want %s", attempt, have, ceiling)
		}
	}
}

// Full jitter: proxies that lost the same broker must not come back in step.
func TestABackoffMayBeOfNoTime(t *testing.T) {
	if d := dialBackoff.delay(10, func() float64 { return 0 }); d != 0 {
		t.Fatal(d)
	}
	if d := dialBackoff.delay(10, func() float64 { return 0.5 }); d != 2*time.Second {
		t.Fatal(d)
	}
}

// Weeks of failures must not overflow into a delay that is negative or none.
func TestABackoffNeverOverflows(t *testing.T) {
	for attempt := range 10_000 {
		if d := dialBackoff.delay(attempt, func() float64 { return 1 }); d <= 0 || d > dialBackoff.most {
			t.Fatalf("try %d waits %s", attempt, d)
		}
	}
}

func TestAPeriodIsSpreadByTenPercent(t *testing.T) {
	low, high := 20*time.Second, 20*time.Second
	for range 10_000 {
		d := jitter(20 * time.Second)
		low, high = min(low, d), max(high, d)
	}
	if low < 18*time.Second || high > 22*time.Second || high-low < 3*time.Second {
		t.Fatalf("between %s and %s", low, high)
	}
}
