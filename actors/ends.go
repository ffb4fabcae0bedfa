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

// add keeps the end of a stream.
func (r *recentEnds) add(end StreamEnd) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ends) == maxRecentEnds {
		r.ends = slices.Delete(r.ends, 0, maxRecentEnds/2) // half at a time, so that most cost nothing
	}
	r.ends = append(r.ends, end)
}

// endOfStream returns the end of a stream that has ended with why.
func endOfStream(s *Stream, why *Error) StreamEnd {
	now := time.Now()
	state := s.state(now)
	return StreamEnd{
		ID: state.ID, Address: state.Address, Subject: state.Subject, Code: why.Code, Reason: why.Reason,
		At: now, Age: state.Age, Messages: state.Messages, Bytes: state.Bytes,
	}
}

// list returns the ends, newest first.
func (r *recentEnds) list() []StreamEnd {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := append([]StreamEnd{}, r.ends...)
	slices.Reverse(out)
	return out
}
