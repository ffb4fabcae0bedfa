package actors

import (
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// recheck has an exchange tried by a scout again before bindings to it are repeated on links with
// streams. The exchange may have been made again meanwhile, as one whose bind ends the link, as
// x-jms-topic does.
//
// It belongs to one life of the broker actor. Its method may be called concurrently, and waits.
type recheck struct {
	scouts  *scouts
	short   func() bool                             // reports whether the broker has no channel for a scout
	queue   func() string                           // returns the name of a throw-away queue
	tried   func(exchange, queue string, err error) // is told each result; it never waits
	mu      sync.Mutex                              // held while a scout is under way
	results map[string]recheckResult                // by exchange
}

type recheckResult struct {
	until time.Time
	err   error
}

// recheckStands is how long a result stands: as many bindings as come in that time cost one scout.
// An exchange that is made again in it may still end a link, once.
const recheckStands = time.Second

// usable returns nil where the exchange of a binding can be bound, and where channels are too short
// for a scout; errNoScout where that could not be tried; else the *Error that its streams are to be
// told. What is not tried may still end a link.
func (r *recheck) usable(b amqp.Binding) error {
	if r.short() {
		return nil // a scout's channel would be one that a stream is refused for
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	if last, known := r.results[b.Exchange]; known && now.Before(last.until) {
		return last.err
	}
	maps.DeleteFunc(r.results, func(_ string, old recheckResult) bool { return !now.Before(old.until) })
	answer, queue := make(chan error, 1), r.queue()
	r.scouts.bind(queue, b, func(err error) { answer <- err })
	err := <-answer // within scoutTimeout and a dial's time, or when the broker actor has ended
	r.tried(b.Exchange, queue, err)
	if err != nil && !errors.Is(err, errNoScout) {
		err = failureOf(err)
	}
	r.results[b.Exchange] = recheckResult{until: time.Now().Add(recheckStands), err: err}
	return err
}
