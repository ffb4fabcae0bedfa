package actors

import (
	"math"
	"testing"
	"time"
)

// The wait grows with the streams that end together, so that their return is spread; a stream that
// ends alone may be back within a second, and no client waits for more than a minute.
func TestTheWaitBeforeARetryGrowsWithTheStreamsThatEndTogether(t *testing.T) {
	for _, c := range []struct {
		code     Code
		together int
		want     time.Duration
	}{
		{BrokerLost, 0, time.Second},
		{BrokerLost, 1, time.Second},
		{BrokerLost, 501, 2 * time.Second},
		{ServerShutdown, 10_001, 21 * time.Second},
		{ServerShutdown, 1_000_000, time.Minute},
		{ServerShutdown, math.MaxInt, time.Minute},
		{BrokerUnavailable, 1, 2 * time.Second},
		{BrokerUnavailable, 501, 3 * time.Second},
		{SlowConsumer, 1, time.Second},
		{BindingRefused, 500, 0},
	} {
		if got := (&Error{Code: c.code, Together: c.together}).RetryAfter(); got != c.want {
			t.Errorf("%s of %d streams: %v, want %v", c.code, c.together, got, c.want)
		}
	}
}

// Errors are shared by streams: telling one to many must not change what the next stream is told.
func TestAnErrorToldToManyLeavesTheSharedOneAsItIs(t *testing.T) {
	e := &Error{Code: BrokerLost}
	if many := e.among(500); many.Together != 500 || e.Together != 0 {
		t.Errorf("told %+v, shared %+v", many, e)
	}
	if few := e.among(500).among(3); few.Together != 500 {
		t.Errorf("told %+v", few)
	}
}
