package httpapi

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// client is one open response, as the shutdown and the watchdog see it.
type client interface {
	silentFor(now time.Time) time.Duration
	expire(why *actors.Error) // end the stream with a verdict
	abort()                   // end the response as it stands
}

// openStreams knows every response that is open, hijacked ones too: net/http
// forgets those.
type openStreams struct {
	period  time.Duration // of the pings
	metrics *metrics

	mu       sync.Mutex
	clients  map[client]string // the protocol of each
	closing  bool
	empty    chan struct{} // closed when closing and no client is left
	watchdog *time.Timer   // runs while clients are open
}

func newOpenStreams(period time.Duration, m *metrics) *openStreams {
	return &openStreams{period: period, metrics: m, clients: map[client]string{}, empty: make(chan struct{})}
}

// add notes a client; false says that the handler is being shut down.
func (o *openStreams) add(c client, protocol string) (welcome bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clients[c] = protocol
	o.metrics.opened(protocol)
	if o.watchdog == nil {
		o.watchdog = time.AfterFunc(o.period, o.watch)
	}
	return !o.closing
}

// remove forgets a client; once for each.
func (o *openStreams) remove(c client) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.metrics.closed(o.clients[c])
	delete(o.clients, c)
	if o.closing && len(o.clients) == 0 {
		o.setEmpty()
	}
}

// setEmpty is called under the lock.
func (o *openStreams) setEmpty() {
	select {
	case <-o.empty:
	default:
		close(o.empty)
	}
}

// silence is how many ping periods without an event end a stream. The actors
// end theirs in every way they know of; this is for the ways they do not.
const silence = 3

// deafFor is the time that a silent stream has to take the verdict, beside two
// periods more.
const deafFor = time.Second

// watch looks for streams that have fallen silent, once every ping period
// while any is open.
func (o *openStreams) watch() {
	now := time.Now()
	limit := silence*o.period + o.period/2 // pings are spread by ± 10 %
	var silent, dead []client
	o.mu.Lock()
	for c := range o.clients {
		switch d := c.silentFor(now); {
		case d > limit+2*o.period+deafFor:
			dead = append(dead, c) // has not even taken the verdict
		case d > limit:
			silent = append(silent, c)
		}
	}
	if o.watchdog = nil; len(o.clients) > 0 {
		o.watchdog = time.AfterFunc(o.period, o.watch)
	}
	o.mu.Unlock()
	for _, c := range silent {
		c.expire(errSilent)
	}
	for _, c := range dead {
		c.abort()
	}
}

// shutDown ends every stream with ServerShutdown and waits until the clients
// have that. What is still open when ctx ends is cut, and counted in the error.
func (o *openStreams) shutDown(ctx context.Context) error {
	for _, c := range o.close() {
		c.expire(errShuttingDown)
	}
	select {
	case <-o.empty:
		return nil
	case <-ctx.Done():
	}
	left := o.close()
	for _, c := range left {
		c.abort()
	}
	return fmt.Errorf("http: %d streams were cut: %w", len(left), ctx.Err())
}

// close turns further clients away and gives those that are open.
func (o *openStreams) close() []client {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closing = true
	if len(o.clients) == 0 {
		o.setEmpty()
	}
	open := make([]client, 0, len(o.clients))
	for c := range o.clients {
		open = append(open, c)
	}
	return open
}

// shuttingDown tells whether close was called.
func (o *openStreams) shuttingDown() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.closing
}
