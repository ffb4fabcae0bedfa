package actors

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"golang.org/x/time/rate"
)

// core is what the actors of one System share. None of its methods waits for an actor, and all may
// be called concurrently.
type core struct {
	options Options                // as opened; Limits and AllowExchanges: see policy
	policy  atomic.Pointer[Policy] // what holds now
	log     *slog.Logger
	count   *counters
	nodes   *registry
	recent  recentEnds
	routing *routing
	links   atomic.Pointer[[]LinkState] // published by the broker actor

	actors      *actor.ActorSystem
	rootContext *actor.RootContext // for goroutines, which have no context of an actor
	rebinds     *rate.Limiter      // of the bindings that are repeated
	drops       atomic.Int32       // whether queues may name an exchange for what they drop
	dropsUnseen atomic.Bool        // it is not known what they drop
	work        sync.WaitGroup     // workers, dials, watchers, closes of links

	saidOneNode atomic.Bool // that the broker has one address
	opener      channelOpener
	leftovers   leftovers

	draining atomic.Bool // no new streams are admitted
	closing  atomic.Bool // Close has begun to stop the tree

	end  sync.Once
	done chan struct{} // closed when the tree has ended
	err  error         // why it ended, where Close did not; written before done is closed
}

// newCore returns the core of a System whose options are filled and valid. The actors live in the
// actor system of the options, or in one that is made here; own reports which.
func newCore(o Options) (c *core, own bool) {
	count := newCounters()
	c = &core{
		options: o, log: o.Logger, count: count, nodes: newRegistry(count, o.Logger),
		routing: newRouting(o.RoutedExchanges), rebinds: newRebindLimiter(),
		actors: o.host(), done: make(chan struct{}),
	}
	c.policy.Store(o.policy())
	if own = c.actors == nil; own {
		c.actors = newActorSystem(c.log)
	}
	c.rootContext = c.actors.Root
	return c, own
}

// rebindEvery returns the time between two repetitions of a queue's bindings, before the spread.
func (c *core) rebindEvery() time.Duration { return c.limits().RebindEvery }

// limits returns the limits that hold now. They are shared and not to be changed.
func (c *core) limits() *Limits { return &c.policy.Load().Limits }

// treeEnded is called when the root actor has stopped. A nil err means that Close stopped it, or
// something above it: a host's actor that stopped, or that failed too often.
func (c *core) treeEnded(err error) {
	c.end.Do(func() {
		if c.err = err; err == nil && !c.closing.Load() {
			c.err = errors.New("the tree was stopped from above")
		}
		c.draining.Store(true)
		close(c.done)
	})
}

// parentEnded returns what a stream is told when an actor above its connection ends.
func (c *core) parentEnded() *Error {
	if c.closing.Load() {
		return errShutdown
	}
	return &Error{Code: InternalError, Reason: "The service had to start anew"}
}

// awaitWorkers returns nil when no worker is left: workers close their channels after their streams
// have ended. It returns the error of ctx where that ends before.
func (c *core) awaitWorkers(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for c.count.workers.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// linkStates returns what the broker actor has published last.
func (c *core) linkStates() []LinkState {
	if links := c.links.Load(); links != nil {
		return *links
	}
	return []LinkState{}
}
