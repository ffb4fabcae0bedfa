package actors

import (
	"math/rand/v2"
	"time"
)

// backoff is the delay before the next try: exponential, with full jitter, so that many proxies do
// not come back in step. It is a value.
type backoff struct {
	first, most time.Duration
}

// dialBackoff stays below five seconds, so that new streams work within ten of a broker's return
// even when a try has just begun to time out.
var dialBackoff = backoff{first: 250 * time.Millisecond, most: 4 * time.Second}

// delay returns how long to wait before try number attempt, counted from 0: between nothing and
// first·2^attempt, at most most. random returns numbers in [0,1).
func (b backoff) delay(attempt int, random func() float64) time.Duration {
	ceiling := b.most
	if attempt < 32 {
		ceiling = min(b.most, b.first<<attempt)
	}
	return time.Duration(random() * float64(ceiling))
}

// jitter returns a period spread by ± 10 %, so that streams opened together do not ping, or end,
// together.
func jitter(period time.Duration) time.Duration {
	return time.Duration(float64(period) * (0.9 + 0.2*rand.Float64()))
}
