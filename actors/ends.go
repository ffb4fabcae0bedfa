package actors

import (
	"slices"
	"sync"
	"time"
)

// recentEnds keeps the last streams that have ended, for an operator. Its methods may be called
// concurrently.
type recentEnds struct {
	mu   sync.Mutex
	ends []StreamEnd // oldest first
}

// maxRecentEnds is how many ends are kept.
const maxRecentEnds = 100

// add keeps the end of a stream; one that goes on is ignored.
func (r *recentEnds) add(s *Stream) {
	now := time.Now()
	state, why := s.state(now), s.Ended()
	if why == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ends) == maxRecentEnds {
		r.ends = slices.Delete(r.ends, 0, maxRecentEnds/2) // half at a time, so that most cost nothing
	}
	r.ends = append(r.ends, StreamEnd{
		ID: state.ID, Address: state.Address, Code: why.Code, Reason: why.Reason, At: now, Age: state.Age, Messages: state.Messages,
	})
}

// list returns the ends, newest first.
func (r *recentEnds) list() []StreamEnd {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := append([]StreamEnd{}, r.ends...)
	slices.Reverse(out)
	return out
}
