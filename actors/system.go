package actors

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// System is the events proxy without HTTP: the one door to a running supervision tree. All methods
// may be called concurrently.
type System struct {
	*core // what the actors know; they do not know the door

	own    bool       // the actor system was made for this System, and ends with it
	root   *actor.PID // the tree's root
	shut   sync.Once
	closed error // the result of Close
}

const (
	// closeTimeout is how long Close waits for the streams before it stops them, and then how long
	// for what it has stopped.
	closeTimeout = 5 * time.Second
	// drainAskTimeout is how long one question for the end of the drain stands before it is put
	// again: an answer is lost when the actor that owes it is restarted.
	drainAskTimeout = time.Second
)

// Open starts a System and returns it with its tree running; the broker may not be reached yet. The
// error names every problem of the options.
func Open(o Options) (*System, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("actors: %w", err)
	}
	c, own := newCore(o)
	s := &System{core: c, own: own}
	var parent actor.SpawnerContext = c.rootContext
	if o.Parent != nil {
		parent = o.Parent
	}
	s.root = c.spawn(parent, nil, RoleEvents, "", restartFew, func(n *node) actor.Actor { return newRoot(c, n) })
	return s, nil
}

// Connect admits a new stream and returns it at once; what happens to it later, an unreachable
// broker included, is told as its events. The error is an *Error with the code InvalidBindings or
// ExchangeForbidden for what the request asks, and Draining, AtCapacity, TooManyStreams or
// TooManyConnects for when, from where and for whom.
//
// The stream lives no longer than ctx: a session, or a reader's own. When ctx ends, the stream ends
// with the *Error of [context.Cause], where it wraps one; else with TokenExpired at a deadline, and
// with AccessRevoked. Where ctx has ended before, Connect returns that error. The values of ctx are
// those of [Stream.Context].
func (s *System) Connect(ctx context.Context, r Request) (*Stream, error) {
	bindings, invalid := s.options.with(*s.policy.Load()).check(r)
	if invalid != nil {
		return nil, invalid
	}
	if ctx.Err() != nil {
		return nil, endOf(ctx)
	}
	stream, asked := newStream(ctx, r.Address, s.options.subjectOf(r), bindings), normal(bindings)
	stream.policy = &s.policy
	if r.Map != nil {
		stream.mapping = &mapping{change: r.Map, dropped: &s.count.filtered}
	}
	s.prepareHooks(stream)
	if s.options.ShareQueues || s.routing.routes(asked) {
		stream.fed, stream.backlog.limit = true, s.limits().BacklogBytes
	}
	if err := s.admission(admit{stream: stream, bindings: asked}); err != nil {
		stream.Close() // where the answer came late, the stream is open and has no reader
		return nil, err
	}
	s.streamOpened(stream)
	stream.endWith(ctx)
	return stream, nil
}

// Admissible returns nil where a stream from this address would be admitted now, else an error of
// [System.Connect]; it takes no place. It is for a request whose bindings are to be refused: a
// service without room says that first.
func (s *System) Admissible(ctx context.Context, address string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.admission(examine{address: address})
}

// Reconnect counts a connect of a client that reconnects by itself, and is told to stop, against
// Limits.ConnectsPerSecond. It returns an *Error with the code TooManyConnects for one too many,
// else nil: while the System drains, and once it is closed, too.
func (s *System) Reconnect(address string) error {
	if address == "" || s.limits().ConnectsPerSecond == 0 {
		return nil
	}
	if err := s.request(reconnect{address: address}); CodeOf(err) == TooManyConnects {
		return err
	}
	return nil
}

// admission asks the connections actor, unless the System is draining.
func (s *System) admission(question any) error {
	if s.draining.Load() {
		s.count.countRefusal(Draining)
		return errDraining
	}
	return s.request(question)
}

// request asks the tree for something. It returns nil for a yes, else an *Error.
func (s *System) request(question any) error {
	answer, err := s.ask(context.Background(), s.root, question, askTimeout)
	switch no, refused := answer.(refused); {
	case errors.Is(err, errTreeEnded):
		return errDraining
	case err != nil:
		return &Error{Code: InternalError, Reason: "The service gave no answer", Cause: err}
	case refused:
		return no.err
	}
	return nil
}

// End ends open streams, and returns how many. Their readers are told err; nil stands for
// AccessRevoked with [BySubject], and for ServerShutdown with [ByID]: another stream may be opened at
// once. When End returns, no further message goes into these streams; with AccessRevoked no message
// that waits is read any more. The error says that the System has ended or does not answer.
func (s *System) End(which Which, err *Error) (int, error) {
	if err == nil {
		err = which.reason()
	}
	answer, failed := s.ask(context.Background(), s.root, endStreams{which: which, err: orDefect(err)}, askTimeout)
	if failed != nil {
		return 0, fmt.Errorf("actors: end streams: %w", failed)
	}
	ended, _ := answer.(endedStreams)
	return ended.count, nil
}

// Send puts an event of the program's own into the selected streams, as [Stream.Send] does into one,
// and returns how many have taken it. A stream without room for it goes without. The error says what
// is wrong with the event, or that the System is closed.
func (s *System) Send(which Which, c Custom) (int, error) {
	c, err := c.checked(s.limits().MessageBytes)
	if err != nil {
		return 0, err
	}
	answer, failed := s.ask(context.Background(), s.root, sendCustom{which: which, event: c}, askTimeout)
	if failed != nil {
		return 0, fmt.Errorf("actors: send to streams: %w", failed)
	}
	sent, _ := answer.(sentCustom)
	return sent.count, nil
}

// PingPeriod returns the time between a stream's pings, before the spread.
func (s *System) PingPeriod() time.Duration { return s.options.PingPeriod }

// Policy returns what is in effect, to be changed and passed to SetPolicy. It may be called
// concurrently.
func (s *System) Policy() Policy {
	p := *s.policy.Load()
	p.AllowExchanges = slices.Clone(p.AllowExchanges)
	return p
}

// SetPolicy replaces AllowExchanges and Limits of a running System. It returns an error that names
// every problem, and changes nothing then. It may be called concurrently, and returns at once.
//
// Streams that are open are not touched: they keep what they were opened with, save MessageBytes,
// which holds for every message from now on. Where more are open than the new limits allow, no new
// one is admitted until enough have ended. Declares and ChannelsPerLink belong to the links,
// IPv6Prefix to the addresses that are known: they stay as they are.
func (s *System) SetPolicy(p Policy) error {
	o := s.options.with(p).withDefaults()
	fixed := s.options.Limits
	o.Limits.Declares, o.Limits.ChannelsPerLink, o.Limits.IPv6Prefix = fixed.Declares, fixed.ChannelsPerLink, fixed.IPv6Prefix
	if err := o.validate(); err != nil {
		return fmt.Errorf("actors: %w", err)
	}
	s.policy.Store(o.policy())
	return nil
}

// Health is what a load balancer wants to know.
type Health struct {
	BrokerUp bool // a link is up that may get new streams
	Denied   bool // the broker does not let this service make and use its queues
	Draining bool // no new streams are admitted
	Streams  int  // open now
	Links    int  // AMQP connections up now
	Blind    int  // nodes of the broker that have links, and do not hear the others: they get no streams
}

// Health returns the present state. It never waits.
func (s *System) Health() Health {
	return Health{
		BrokerUp: s.count.up.Load(), Denied: s.count.isDenied.Load(), Draining: s.draining.Load(),
		Streams: int(s.count.streams.Load()), Links: int(s.count.links.Load()),
		Blind: int(s.count.nodesBlind.Load()),
	}
}

// Ready waits until the broker is reached and new streams will work, and returns nil then. The error
// says that ctx has ended before, or that the System drains or has ended.
func (s *System) Ready(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		switch h := s.Health(); {
		case h.Draining:
			return errDraining
		case h.BrokerUp && !h.Denied:
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("actors: the broker is not reached: %w", context.Cause(ctx))
		}
	}
}

// Links returns the AMQP connections that are up, oldest first. It never waits for an actor.
func (s *System) Links() []LinkState { return s.linkStates() }

// Stats returns the counters. It never waits for an actor.
func (s *System) Stats() Stats { return s.count.stats() }

// Snapshot returns a picture of the tree. It never waits for an actor: one that hangs cannot delay
// it. Actors that come or go meanwhile may be missing.
func (s *System) Snapshot() Snapshot {
	now := time.Now()
	return Snapshot{
		Time: now, Actors: s.nodes.actors(now), Streams: s.nodes.streams(now), Links: s.linkStates(),
		Ends: s.recent.newest(), Stats: s.Stats(),
	}
}

// Ends returns the streams that have ended and whose StreamEnd.Number is larger than after, oldest
// first: nothing is missed by asking again after the last number. The last thousand ends are kept;
// where the first number is not after+1, those between were not. Numbers count from 1; after one that
// has not been counted all are returned, as another System has. It never waits for an actor.
func (s *System) Ends(after int64) []StreamEnd { return s.recent.after(after) }

// Drain admits no further streams and ends those that are open, each with ServerShutdown, spread
// over a time. It returns nil when the last has ended and its channel is closed; or, when ctx ends,
// an error that names what is left. Draining again waits for the same end.
func (s *System) Drain(ctx context.Context, spread time.Duration) error {
	s.draining.Store(true)
	for {
		_, err := s.ask(ctx, s.root, drain{spread: spread}, drainAskTimeout)
		if errors.Is(err, errNoAnswer) {
			continue
		}
		if err == nil || errors.Is(err, errTreeEnded) {
			err = s.awaitWorkers(ctx)
		}
		if err != nil {
			return s.leftovers(err)
		}
		return nil
	}
}

// leftovers returns an error that names what has not ended: the first few streams, the workers.
func (s *System) leftovers(cause error) error {
	names := s.nodes.labels(RoleConnection)
	slices.Sort(names)
	count := len(names)
	if count > 10 {
		names = append(names[:10], "…")
	}
	return fmt.Errorf("not drained: %d streams (%s) and %d channels are left: %w",
		count, strings.Join(names, " "), s.count.workers.Load(), cause)
}

// Close drains for at most five seconds, then stops what is left within another five, and releases
// everything: when it returns nil, no goroutine and no AMQP connection is left. The error names
// what had to be stopped, or could not be. A host's actor system goes on. Closing again returns the
// same.
func (s *System) Close() error {
	s.shut.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		s.closed = errors.Join(s.Drain(ctx, 0), s.stop())
	})
	return s.closed
}

// stop ends the tree, and waits for it and for every goroutine, within a bound: a call into the
// port that never returns must not keep the process from ending.
func (s *System) stop() error {
	s.closing.Store(true)
	s.rootContext.Stop(s.root)
	ended := make(chan struct{})
	go func() { // ends with the tree and all work
		<-s.done
		s.work.Wait()
		close(ended)
	}()
	if s.own {
		defer s.actors.Shutdown()
	}
	select {
	case <-ended:
		return nil
	case <-time.After(closeTimeout):
		return fmt.Errorf("not stopped: %d channels and %d links are left", s.count.workers.Load(), s.count.links.Load())
	}
}

// Done returns a channel that is closed when the tree has ended and every stream was told: by
// Close, or for the reason that Err returns.
func (s *System) Done() <-chan struct{} { return s.done }

// Err returns why the tree ended without Close; nil before Done, and after Close.
func (s *System) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// Crash makes an actor panic, or the worker of a stream: for tests of resilience. It fails without
// Options.Chaos and where there is no such actor. The roles events, broker, feeds and connections
// need no stream.
func (s *System) Crash(role Role, stream string) error {
	if !s.options.Chaos {
		return errors.New("actors: Crash needs Options.Chaos")
	}
	if !slices.Contains(roles, role) {
		return &Error{Code: InternalError, Reason: fmt.Sprintf("There is no role %q", role)}
	}
	return s.request(crash{role: role, stream: stream})
}
