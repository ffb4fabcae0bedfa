package actors

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// System is the events proxy without HTTP: the supervision tree and the one
// door to it. All methods may be called concurrently.
type System struct {
	options Options
	log     *slog.Logger
	count   *counters
	tree    *tree
	ends    recentEnds
	links   atomic.Pointer[[]LinkState] // published by the broker actor

	actors *actor.ActorSystem
	root   *actor.RootContext
	own    bool       // the actor system is ours to end
	events *actor.PID // the tree's root

	asked    sync.Map       // of *actor.Future: questions without an answer yet
	work     sync.WaitGroup // workers, dials, watchers, closes of links
	draining atomic.Bool
	closing  atomic.Bool

	end    sync.Once
	done   chan struct{} // closed when the tree has ended
	err    error         // why, where nobody asked for it
	shut   sync.Once
	closed error
}

const (
	// askTimeout bounds a question to an actor: a local message each way.
	askTimeout = 5 * time.Second
	// hardEnd is how long Close waits for the streams before it stops them,
	// and then how long for what it has stopped.
	hardEnd = 5 * time.Second
)

// Open starts a System: its tree is running when it returns, the broker may
// not be reached yet. The error names every problem of the options.
func Open(o Options) (*System, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, fmt.Errorf("actors: %w", err)
	}
	count := newCounters()
	s := &System{options: o, log: o.Logger, count: count, tree: newTree(count, o.Logger), done: make(chan struct{})}
	parent := s.host()
	s.events = s.spawn(parent, nil, RoleEvents, "", restartFew, func(n *node) actor.Actor { return &events{node: n, system: s} })
	return s, nil
}

// host decides whose actor system the tree lives in.
func (s *System) host() actor.SpawnerContext {
	if s.actors = s.options.host(); s.actors == nil {
		s.actors, s.own = newActorSystem(s.log), true
	}
	s.root = s.actors.Root
	if s.options.Parent != nil {
		return s.options.Parent
	}
	return s.root
}

// Connect admits a new stream. Its error is an *Error: InvalidBindings or
// ExchangeForbidden for what the request asks; Draining, AtCapacity,
// TooManyStreams or TooManyConnects for when and from where. Whatever goes
// wrong later is told as the stream's last event, an unreachable broker too.
// Where ctx has ended before, the error is its.
func (s *System) Connect(ctx context.Context, r Request) (*Stream, error) {
	bindings, refusal := s.options.check(r)
	if refusal != nil {
		return nil, refusal
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	stream := &Stream{id: newID(), address: r.Address, bindings: bindings, since: time.Now()}
	if s.options.ShareQueues {
		stream.limit = s.options.Limits.BacklogBytes
	}
	if err := s.admission(admit{stream: stream, bindings: bindings}); err != nil {
		stream.Close() // where the answer came late, it is the stream that nobody reads
		return nil, err
	}
	return stream, nil
}

// Admissible tells whether a stream from this address would be admitted now,
// with the errors of Connect; it takes no place. It is for a request whose
// bindings are to be refused: a service without room says that first.
func (s *System) Admissible(ctx context.Context, address string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.admission(examine{address: address})
}

// admission asks connections, but not while draining.
func (s *System) admission(question any) error {
	if s.draining.Load() {
		s.count.countRefusal(Draining)
		return errDraining
	}
	return s.ask(question)
}

// ask puts a question to the tree; nil says yes.
func (s *System) ask(question any) error {
	future := actor.NewFuture(s.actors, askTimeout)
	s.asked.Store(future, nil)
	defer s.asked.Delete(future)
	s.root.RequestWithCustomSender(s.events, question, future.PID())
	answer, err := future.Result()
	switch {
	case errors.Is(err, actor.ErrDeadLetter):
		return errDraining
	case err != nil:
		return &Error{Code: InternalError, Reason: "The service gave no answer", Cause: err}
	case answer == nil:
		return errDraining // called off
	}
	if no, ok := answer.(refused); ok {
		return no.err
	}
	return nil
}

// callOff ends the questions that are under way: they lie in the mailbox of an
// actor that has ended, which nobody empties. A question that was answered keeps
// its answer.
func (s *System) callOff() {
	s.asked.Range(func(future, _ any) bool {
		s.root.Stop(future.(*actor.Future).PID())
		return true
	})
}

// PingPeriod is the time between a stream's pings, before the spread.
func (s *System) PingPeriod() time.Duration { return s.options.PingPeriod }

// Health is what a load balancer wants to know.
type Health struct {
	BrokerUp bool // a link is up
	Draining bool // no new streams are admitted
	Streams  int  // open now
	Links    int  // AMQP connections up now
}

// Health never waits.
func (s *System) Health() Health {
	links := int(s.count.links.Load())
	return Health{
		BrokerUp: links > 0, Draining: s.draining.Load(),
		Streams: int(s.count.streams.Load()), Links: links,
	}
}

// Drain admits no further streams and ends those that are open, each with
// ServerShutdown, spread over a time. It returns when the last has ended and
// its channel is closed; or when ctx ends, with an error that names what is
// left. Draining again waits for the same end.
func (s *System) Drain(ctx context.Context, spread time.Duration) error {
	s.draining.Store(true)
	for {
		future := s.root.RequestFuture(s.events, drain{spread: spread}, drainAsk)
		answer := make(chan error, 1)
		go func() { _, err := future.Result(); answer <- err }() // ends within drainAsk
		select {
		case err := <-answer:
			if err == nil || errors.Is(err, actor.ErrDeadLetter) {
				return s.settled(ctx)
			}
		case <-ctx.Done():
			return s.leftovers(ctx.Err())
		}
	}
}

// drainAsk is how long one question for the end of the drain stands before it
// is put again: an answer is lost when the actor that owes it is restarted.
const drainAsk = time.Second

// settled waits for the workers, which close their channels after the streams
// have ended.
func (s *System) settled(ctx context.Context) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for s.count.workers.Load() > 0 {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return s.leftovers(ctx.Err())
		}
	}
	return nil
}

// leftovers names what has not ended: the first few streams, the workers.
func (s *System) leftovers(cause error) error {
	names := s.tree.labels(RoleConnection)
	slices.Sort(names)
	count := len(names)
	if count > 10 {
		names = append(names[:10], "…")
	}
	return fmt.Errorf("not drained: %d streams (%s) and %d channels are left: %w",
		count, strings.Join(names, " "), s.count.workers.Load(), cause)
}

// Close drains for at most five seconds, then stops what is left within another
// five, and releases everything: when it returns nil, no goroutine and no AMQP
// connection is left. The error names what had to be stopped, or could not be.
// A host's actor system goes on.
func (s *System) Close() error {
	s.shut.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), hardEnd)
		defer cancel()
		s.closed = errors.Join(s.Drain(ctx, 0), s.stop())
	})
	return s.closed
}

// stop ends the tree, and waits for it and for every goroutine. A call into the
// port that never returns must not keep the process from ending.
func (s *System) stop() error {
	s.closing.Store(true)
	s.root.Stop(s.events)
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
	case <-time.After(hardEnd):
		return fmt.Errorf("not stopped: %d channels and %d links are left", s.count.workers.Load(), s.count.links.Load())
	}
}

// Done is closed when the tree has ended and every stream was told: by Close,
// or otherwise, which Err tells.
func (s *System) Done() <-chan struct{} { return s.done }

// Err says why the tree ended without being asked to; nil before Done.
func (s *System) Err() error {
	select {
	case <-s.done:
		return s.err
	default:
		return nil
	}
}

// ended notes that the tree has ended. Without a reason it was Close, or
// somebody above the tree: a host's actor that stopped, or failed too often.
func (s *System) ended(err error) {
	s.end.Do(func() {
		if s.err = err; err == nil && !s.closing.Load() {
			s.err = errors.New("the tree was stopped from above")
		}
		s.draining.Store(true)
		close(s.done)
		s.callOff()
	})
}

// Crash makes an actor panic, or the worker of a stream: for tests of
// resilience, where Options.Chaos allows it. The roles events, broker and
// connections need no stream.
func (s *System) Crash(role Role, stream string) error {
	if !s.options.Chaos {
		return errors.New("actors: Crash needs Options.Chaos")
	}
	return s.ask(crash{role: role, stream: stream})
}

// after sends a message to an actor later, unless the timer is stopped first.
func (s *System) after(d time.Duration, to *actor.PID, message any) *time.Timer {
	return time.AfterFunc(d, func() { s.root.Send(to, message) })
}

// anew is what streams are told when an actor above them ends.
func (s *System) anew() *Error {
	if s.closing.Load() {
		return errShutdown
	}
	return &Error{Code: InternalError, Reason: "The service had to start anew"}
}

// newID gives 22 random characters.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(id[:])
}
