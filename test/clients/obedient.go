package clients

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Obedient is a client that obeys the contract: it has one stream after another, for as long as
// each ends with a retryable error, and waits between two as it is told, with full jitter. Its
// methods may be called concurrently.
type Obedient struct {
	url     string
	options Options

	mu      sync.Mutex
	streams []*Stream // the last may be open
	wrong   []error   // what a client must never meet
}

// NewObedient returns a client that has no stream before Run is called.
func NewObedient(url string, o Options) *Obedient { return &Obedient{url: url, options: o} }

// Run opens streams until ctx ends, or until the client has met what Errors returns.
func (o *Obedient) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := o.stream(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			o.mu.Lock()
			o.wrong = append(o.wrong, err)
			o.mu.Unlock()
			return
		}
		select {
		case <-time.After(rand.N(wait)):
		case <-ctx.Done():
		}
	}
}

// stream is the life of one stream; it returns how long to wait before the next at most.
func (o *Obedient) stream(ctx context.Context) (time.Duration, error) {
	opening, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s, err := Open(opening, o.url, o.options)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if s.Status != 200 {
		return 0, fmt.Errorf("status %d", s.Status)
	}
	o.mu.Lock()
	o.streams = append(o.streams, s)
	o.mu.Unlock()
	if err := s.Wait(ctx, hasEnded); err != nil {
		return 0, err
	}
	return next(s.Received())
}

func hasEnded(r Received) error {
	if !r.Ended {
		return fmt.Errorf("it goes on")
	}
	return nil
}

// next returns how long a client waits at most after a stream that has ended properly.
func next(r Received) (time.Duration, error) {
	if r.Err != nil {
		return 0, r.Err
	}
	if err := r.Check(); err != nil {
		return 0, err
	}
	failure, told, err := r.Failure()
	switch {
	case err != nil || !told:
		return 0, fmt.Errorf("a stream has ended without an error event: %v", err)
	case !*failure.Retryable:
		return 0, fmt.Errorf("a stream has ended for good: %s", failure.Code)
	}
	return time.Duration(failure.RetryAfterMs) * time.Millisecond, nil
}

// Streams returns the client's streams, in order. Only the last may be open.
func (o *Obedient) Streams() []*Stream {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.streams)
}

// Current returns what the client's last stream has received, and whether that is open.
func (o *Obedient) Current() (r Received, open bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.streams) == 0 {
		return r, false
	}
	r = o.streams[len(o.streams)-1].Received()
	return r, !r.Ended
}

// Errors returns what the client has met that it should not have.
func (o *Obedient) Errors() []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.wrong)
}
