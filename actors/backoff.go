package actors

import (
	"math/rand/v2"
	"time"
)

// backoff is the delay before the next try: exponential, with full jitter, so
// that many proxies do not come back in step. It is a value; random gives
// numbers in [0,1).
type backoff struct {
	first, most time.Duration
}

// redialing stays below five seconds, so that new streams work within ten of a
// broker's return even when a try has just begun to time out.
var redialing = backoff{first: 250 * time.Millisecond, most: 4 * time.Second}

// delay gives how long to wait before try number attempt, counted from 0:
// between nothing and first·2^attempt, at most most.
func (b backoff) delay(attempt int, random func() float64) time.Duration {
	ceiling := b.most
	if attempt < 32 {
		ceiling = min(b.most, b.first<<attempt)
	}
	return time.Duration(random() * float64(ceiling))
}

// around spreads a period by ± 10 %, so that streams opened together do not
// ping together.
func around(period time.Duration) time.Duration {
	return time.Duration(float64(period) * (0.9 + 0.2*rand.Float64()))
}
