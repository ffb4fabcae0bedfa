package bench

import (
	"sync/atomic"
	"time"
)

// Latency counts delays in steps of 20 µs up to two seconds; longer ones count
// as that. It may be used concurrently.
type Latency struct {
	steps [100_000]atomic.Int64
}

const latencyStep = 20 * time.Microsecond

// Add counts a delay.
func (l *Latency) Add(d time.Duration) {
	l.steps[min(max(int(d/latencyStep), 0), len(l.steps)-1)].Add(1)
}

// Quantile returns the delay that a share of those counted did not exceed.
func (l *Latency) Quantile(share float64) time.Duration {
	var total int64
	for i := range l.steps {
		total += l.steps[i].Load()
	}
	wanted, seen := int64(share*float64(total)), int64(0)
	for i := range l.steps {
		if seen += l.steps[i].Load(); seen > wanted {
			return time.Duration(i+1) * latencyStep
		}
	}
	return 0
}

// Reset forgets everything.
func (l *Latency) Reset() {
	for i := range l.steps {
		l.steps[i].Store(0)
	}
}
