package tail

import "time"

// backoff is the wait before the next stream. random returns numbers in [0,1).
//
// Where the service names the time over which its clients are to come back, the
// wait is drawn from that. Else it is exponential. Either has full jitter, so
// that many clients do not come back in step.
type backoff struct {
	first, most time.Duration
	random      func() float64
	failures    int // since the last stream that was ready
}

func (b *backoff) next(l *Loss) time.Duration {
	ceiling := b.most
	if b.failures < 16 {
		ceiling = min(b.most, b.first<<b.failures)
	}
	b.failures++
	if l.Spread > 0 && b.failures == 1 {
		ceiling = l.Spread
	}
	ceiling = max(ceiling, l.Spread)
	return l.Least + time.Duration(b.random()*float64(ceiling))
}

// reset is called when a stream was ready.
func (b *backoff) reset() { b.failures = 0 }
