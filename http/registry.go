package httpapi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// openResponse is one open response, as the shutdown and the watchdog see it.
type openResponse interface {
	idleSince() time.Time   // when the last write ended; zero while one is under way
	fail(why *actors.Error) // ends the stream with an error event
	abort()                 // ends the response as it stands
}

// registry holds every response that is open, hijacked ones too: net/http
// forgets those. Its methods may be called concurrently.
type registry struct {
	pingPeriod time.Duration
	metrics    *metrics

	mu        sync.Mutex
	responses map[openResponse]string // the protocol of each
	closed    bool                    // to new responses
	empty     chan struct{}           // closed when the registry is closed and no response is left
	watchdog  *time.Timer             // nil while nothing is open
	checkDue  time.Time               // when the watchdog is to check next
	awake     time.Time               // since when this process has run without standing still
}

func newRegistry(pingPeriod time.Duration, m *metrics) *registry {
	return &registry{pingPeriod: pingPeriod, metrics: m, responses: map[openResponse]string{}, empty: make(chan struct{})}
}

// add enters a response, and reports whether it may go on: false once the
// handler is being shut down. Either way the response is to be removed.
func (r *registry) add(response openResponse, protocol string) (welcome bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.responses[response] = protocol
	r.metrics.opened(protocol)
	if r.watchdog == nil {
		r.arm()
	}
	return !r.closed
}

// remove takes a response out; once for each.
func (r *registry) remove(response openResponse) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.metrics.closed(r.responses[response])
	delete(r.responses, response)
	if r.closed && len(r.responses) == 0 {
		r.setEmpty()
	}
}

// arm sets the watchdog's next check. It must be called under the lock.
func (r *registry) arm() {
	r.checkDue = time.Now().Add(r.pingPeriod)
	r.watchdog = time.AfterFunc(r.pingPeriod, r.checkIdle)
}

// setEmpty must be called under the lock.
func (r *registry) setEmpty() {
	select {
	case <-r.empty:
	default:
		close(r.empty)
	}
}

const (
	// missedPings is how many ping periods without an event end a stream. The
	// actors end theirs in every way they know of; this is for other ways.
	missedPings = 3

	// errorEventTimeout is the time that an idle stream has to take its error
	// event, beside two ping periods, before its response is cut.
	errorEventTimeout = time.Second
)

// checkIdle ends streams on which nothing has been written for too long. It is
// called once every ping period while any response is open. When it is called
// late, the process stood still (stopped, suspended, starved): it was not the
// streams that were idle, and their time starts again.
func (r *registry) checkIdle() {
	now := time.Now()
	limit := missedPings*r.pingPeriod + r.pingPeriod/2 // pings are spread by ± 10 %
	var idle, stuck []openResponse
	r.mu.Lock()
	if now.Sub(r.checkDue) > r.pingPeriod {
		r.awake = now
	}
	for response := range r.responses {
		switch d := r.idleFor(response, now); {
		case d > limit+2*r.pingPeriod+errorEventTimeout:
			stuck = append(stuck, response) // has not even taken the error event
		case d > limit:
			idle = append(idle, response)
		}
	}
	if r.watchdog = nil; len(r.responses) > 0 {
		r.arm()
	}
	r.mu.Unlock()
	for _, response := range idle {
		response.fail(errIdle)
	}
	for _, response := range stuck {
		response.abort()
	}
}

// idleFor returns for how long nothing has been written, 0 while a write is under
// way.
func (r *registry) idleFor(response openResponse, now time.Time) time.Duration {
	since := response.idleSince()
	if since.IsZero() {
		return 0
	}
	if since.Before(r.awake) {
		since = r.awake
	}
	return now.Sub(since)
}

// shutDown ends every stream with ServerShutdown and waits until the clients
// have that. What is still open when ctx ends is cut, and counted in the error.
func (r *registry) shutDown(ctx context.Context) error {
	for _, response := range r.close() {
		response.fail(errShuttingDown)
	}
	select {
	case <-r.empty:
		return nil
	case <-ctx.Done():
	}
	left := r.close()
	for _, response := range left {
		response.abort()
	}
	return fmt.Errorf("http: %d streams were cut: %w", len(left), ctx.Err())
}

// close turns further responses away and returns those that are open.
func (r *registry) close() []openResponse {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	if len(r.responses) == 0 {
		r.setEmpty()
	}
	return r.list()
}

// list returns the open responses. It must be called under the lock.
func (r *registry) list() []openResponse {
	list := make([]openResponse, 0, len(r.responses))
	for response := range r.responses {
		list = append(list, response)
	}
	return list
}

// shuttingDown reports whether close has been called.
func (r *registry) shuttingDown() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}
