package balancers

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/test/clients"
)

// obedient is a client that obeys the contract: it has one stream after another, for as long as
// each ends with a retryable error.
type obedient struct {
	url     string
	options clients.Options

	mu      sync.Mutex
	current *clients.Stream
	ended   []clients.Received // the streams before
	wrong   []error            // what a client must never meet
}

// run opens streams until ctx ends.
func (o *obedient) run(ctx context.Context) {
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
func (o *obedient) stream(ctx context.Context) (time.Duration, error) {
	opening, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	s, err := clients.Open(opening, o.url, o.options)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	if s.Status != 200 {
		return 0, fmt.Errorf("status %d", s.Status)
	}
	o.mu.Lock()
	o.current = s
	o.mu.Unlock()
	if err := s.Wait(ctx, hasEnded); err != nil {
		return 0, err
	}
	received := s.Received()
	o.mu.Lock()
	o.current, o.ended = nil, append(o.ended, received)
	o.mu.Unlock()
	return next(received)
}

func hasEnded(r clients.Received) error {
	if !r.Ended {
		return fmt.Errorf("it goes on")
	}
	return nil
}

// next returns how long a client waits after a stream that has ended properly.
func next(r clients.Received) (time.Duration, error) {
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

// streams returns what the client has received, stream by stream.
func (o *obedient) streams() []clients.Received {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := slices.Clone(o.ended)
	if o.current != nil {
		all = append(all, o.current.Received())
	}
	return all
}

// errors returns what the client has met that it should not have.
func (o *obedient) errors() []error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.wrong)
}

// isReady reports whether the client's present stream is ready, and has got the message with the
// number n or a later one (0: no message is asked for).
func (o *obedient) isReady(n int) bool {
	o.mu.Lock()
	current := o.current
	o.mu.Unlock()
	if current == nil {
		return false
	}
	received := current.Received()
	if n == 0 {
		return received.Ready()
	}
	for _, e := range slices.Backward(received.Events) {
		if number, ok := numberOf(e); ok {
			return number >= n
		}
	}
	return false
}

// account is what became of the numbered messages.
type account struct {
	Streams  int
	Received int
	Between  int // missed between two streams: after the last of one, before the first of the next
	Within   int // missed inside a stream, which must not be
	Twice    int // received twice
	Codes    map[string]int
}

func (a *account) add(o *obedient) {
	last := 0
	for _, r := range o.streams() {
		a.Streams++
		if failure, told, err := r.Failure(); told && err == nil {
			a.Codes[failure.Code]++
		}
		for i, n := range numbersOf(r) {
			a.Received++
			switch gap := n - last - 1; {
			case last == 0: // the client's first
			case gap < 0:
				a.Twice++
			case i == 0:
				a.Between += gap
			default:
				a.Within += gap
			}
			last = max(last, n)
		}
	}
}

func (a account) String() string {
	var ends []string
	for _, code := range slices.Sorted(maps.Keys(a.Codes)) {
		ends = append(ends, fmt.Sprintf("%s %d", code, a.Codes[code]))
	}
	return fmt.Sprintf("%d streams (ended: %v), %d messages received, %d missed between two streams of a client, %d within one, %d twice",
		a.Streams, ends, a.Received, a.Between, a.Within, a.Twice)
}

// numbersOf returns the numbers of the messages, in order of arrival.
func numbersOf(r clients.Received) []int {
	var numbers []int
	for _, e := range r.Events {
		if n, ok := numberOf(e); ok {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func numberOf(e clients.Event) (n int, ok bool) {
	if e.Name != "message" {
		return 0, false
	}
	var message struct{ Payload struct{ N int } }
	err := json.Unmarshal([]byte(e.Data), &message)
	return message.Payload.N, err == nil
}
