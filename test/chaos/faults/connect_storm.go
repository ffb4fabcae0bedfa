package faults

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/test/clients"
)

// ConnectStorm is a page that opens streams in a loop and leaves each at once:
// some when the head of the answer is there, before `ready`; some after it; in
// order or by a reset. It is over when the last stream has been left.
//
// A storm has a state, the account of the proxy's answers, and is used once.
type ConnectStorm struct {
	URL  string        // of a stream
	Rate int           // streams a second, 1 to 10000
	For  time.Duration // how long streams are opened

	mu      sync.Mutex
	answers Answers
	defects error
}

// Answers counts a storm's answers by kind.
type Answers struct {
	Streams int // a stream was opened
	Refused int // 429 or 503, with the time to wait
}

// Fault is the storm as one.
func (c *ConnectStorm) Fault() Fault {
	return Fault{"storm", func(ctx context.Context, _ Site) error { return c.rage(ctx) }, nil}
}

// Answers are complete when the fault has happened.
func (c *ConnectStorm) Answers() Answers {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.answers
}

// rage opens every stream at its time; one that comes late is opened all the
// same. The error describes answers that are neither a stream nor a refusal
// that says when to come back.
func (c *ConnectStorm) rage(ctx context.Context) error {
	var under sync.WaitGroup
	defer under.Wait()
	start, interval := time.Now(), time.Second/time.Duration(c.Rate)
	for i := range int(c.For / interval) {
		select {
		case <-time.After(time.Until(start.Add(time.Duration(i) * interval))):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		under.Go(func() { c.note(c.one(ctx, i)) })
	}
	under.Wait()
	return c.defects
}

// one opens the i-th stream and leaves it.
func (c *ConnectStorm) one(ctx context.Context, i int) (status int, err error) {
	s, err := clients.Open(ctx, c.URL, clients.Options{})
	if err != nil {
		return 0, err
	}
	defer s.Close()
	switch s.Status {
	case http.StatusOK:
		return s.Status, leave(ctx, s, i)
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		if s.Header.Get("Retry-After") == "" {
			return s.Status, fmt.Errorf("status %d does not say when to come back", s.Status)
		}
		return s.Status, nil
	}
	return s.Status, fmt.Errorf("status %d is neither a stream nor a refusal", s.Status)
}

// leave is different for each of four.
func leave(ctx context.Context, s *clients.Stream, i int) error {
	var err error
	if i%2 == 1 {
		err = s.Wait(ctx, ready)
	}
	if i%4 < 2 {
		s.Reset()
	}
	return errors.Join(err, s.Received().Check())
}

// ready accepts a stream that is ready, or was told why it can not be.
func ready(r clients.Received) error {
	if _, told, _ := r.Failure(); told || r.Ready() {
		return nil
	}
	return errors.New("a stream is neither ready nor told why not")
}

func (c *ConnectStorm) note(status int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case err != nil:
		if c.defects == nil { // one says it; a thousand would hide it
			c.defects = err
		}
	case status == http.StatusOK:
		c.answers.Streams++
	default:
		c.answers.Refused++
	}
}
