package actors

import (
	"slices"
	"sync"
	"time"
)

// recentEnds keeps the last streams that have ended, numbered, for an operator. Its methods may be
// called concurrently.
type recentEnds struct {
	mu    sync.Mutex
	count int64       // of all ends: the number of the last one
	ends  []StreamEnd // oldest first
}

const (
	// keptEnds is how many of the last ends are kept at least, and half of how many at the most.
	keptEnds = 1000
	// shownEnds is how many of them a snapshot has.
	shownEnds = 100
)

// add keeps the end of a stream, and returns it with its number.
func (r *recentEnds) add(end StreamEnd) StreamEnd {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.ends) == 2*keptEnds {
		r.ends = slices.Delete(r.ends, 0, keptEnds) // so many at a time that most ends cost nothing
	}
	r.count++
	end.Number = r.count
	r.ends = append(r.ends, end)
	return end
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

// newest returns the ends that a snapshot has, newest first.
func (r *recentEnds) newest() []StreamEnd {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := append([]StreamEnd{}, r.ends[max(0, len(r.ends)-shownEnds):]...)
	slices.Reverse(out)
	return out
}

// after returns the ends that are kept and have larger numbers, oldest first; all of them where the
// number is larger than any.
func (r *recentEnds) after(number int64) []StreamEnd {
	r.mu.Lock()
	defer r.mu.Unlock()
	if number > r.count {
		number = 0
	}
	return append([]StreamEnd{}, r.ends[max(0, len(r.ends)-int(r.count-max(0, number))):]...)
}
