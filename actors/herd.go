package actors

import (
	"sync"
	"time"
)

// Streams that end together come back together. Each client is told to wait a random time up to
// Error.RetryAfter, which grows with their number, so that the service and its broker meet a steady
// stream of newcomers.

const (
	// retryBase is the longest wait of a stream that ends alone.
	retryBase = time.Second
	// retryBaseWithoutBroker is the same while no link to the broker is there.
	retryBaseWithoutBroker = 2 * time.Second
	// retryPerStream is what each further stream adds: 500 newcomers a second at most, on average.
	retryPerStream = 2 * time.Millisecond
	// retryMost bounds the wait.
	retryMost = time.Minute
)

// RetryAfter returns the time up to which a client should wait before it tries again, for a random
// part of it. It is 0 where the same request cannot succeed.
func (e *Error) RetryAfter() time.Duration {
	if !e.Code.Retryable() {
		return 0
	}
	base := retryBase
	if e.Code == BrokerUnavailable {
		base = retryBaseWithoutBroker
	}
	others := min(max(0, e.Together-1), int(retryMost/retryPerStream))
	return min(base+time.Duration(others)*retryPerStream, retryMost)
}

// among returns the error as it is told to n streams that end together. It does not change e, which
// other streams share.
func (e *Error) among(n int) *Error {
	if n <= e.Together {
		return e
	}
	told := *e
	told.Together = n
	return &told
}

// herd is the actors whose channels are on one link: they end with it. Its methods may be called
// concurrently; a nil herd has no members.
type herd struct {
	mu      sync.Mutex
	members map[*node]struct{}
	lost    bool
	size    int // the number of streams at the loss
}

func newHerd() *herd { return &herd{members: map[*node]struct{}{}} }

func (h *herd) join(n *node) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.members[n] = struct{}{}
}

func (h *herd) leave(n *node) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.members, n)
}

// endTogether returns how many streams the link has served when its loss was first noticed: every
// later call returns the same number, though members have left.
func (h *herd) endTogether() int {
	if h == nil {
		return 1
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.lost {
		h.lost = true
		for n := range h.members {
			h.size += int(n.streams())
		}
	}
	return h.size
}
