package actors

import (
	"math"
	"slices"
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// connections admits, counts and drains the streams.
//
// Owns:    one connection (PID) per stream, and the account of addresses.
// Parent:  events, which restarts it; its connections end then.
// Ends:    with the System.
type connections struct {
	*node
	system  *System
	broker  *actor.PID
	feeds   *actor.PID         // nil in dedicated mode
	open    map[string]*Stream // by the connection's PID
	streams map[string]*actor.PID
	account *account
	drain   *draining // nil before
}

// draining is how far the drain has come.
type draining struct {
	left  []*actor.PID  // not yet told to shut down
	chunk int           // how many are told at a time
	step  time.Duration // the time between two groups
	timer *time.Timer   // of the next group
	asked []*actor.PID  // who is answered at the end
}

// drainStep is the shortest time between two groups of streams.
const drainStep = 20 * time.Millisecond

func newConnections(s *System, n *node, broker, feeds *actor.PID) *connections {
	return &connections{
		node: n, system: s, broker: broker, feeds: feeds, open: map[string]*Stream{}, streams: map[string]*actor.PID{},
		account: newAccount(s.options.Limits),
	}
}

// Receive is the table of contents.
func (c *connections) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		c.become("running")
	case admit:
		c.admit(ctx, msg)
	case examine:
		c.examine(ctx, msg)
	case *actor.Terminated:
		c.ended(ctx, msg.Who)
	case drain:
		c.startDrain(ctx, msg)
	case shutNext:
		c.shutNext(ctx)
	case endStream:
		c.endStream(ctx, msg)
	case crash:
		c.crash(ctx, msg)
	case *actor.Restarting, *actor.Stopping:
		c.abandon()
	case *actor.Stopped:
		c.leave()
	}
}

func (c *connections) admit(ctx actor.Context, msg admit) {
	if err := c.refusal(msg.stream.address); err != nil {
		c.system.count.countRefusal(err.Code)
		answer(ctx, refused{err: err})
		return
	}
	s, stream := c.system, msg.stream
	pid := s.spawn(ctx, c.node, RoleConnection, stream.id, stopAlways, func(n *node) actor.Actor {
		n.stream = stream
		source := subscription{system: s, node: n, broker: c.broker, bindings: msg.bindings, sink: stream}
		return &connection{node: n, system: s, stream: stream, source: source, feeds: c.feeds}
	})
	c.account.enter(stream.address)
	c.open[pid.Id], c.streams[stream.id] = stream, pid
	s.count.opened.Add(1)
	s.count.streams.Add(1)
	stream.attach(func(message any) { s.root.Send(pid, message) })
	answer(ctx, admitted{})
}

func (c *connections) examine(ctx actor.Context, msg examine) {
	if err := c.refusal(msg.address); err != nil {
		c.system.count.countRefusal(err.Code)
		answer(ctx, refused{err: err})
		return
	}
	answer(ctx, admitted{})
}

// refusal says why a stream of this address is not admitted now. The order is
// the contract's: the service first, then the address.
func (c *connections) refusal(address string) *Error {
	if c.system.draining.Load() {
		return errDraining
	}
	if most := c.system.options.Limits.Streams; most > 0 && len(c.open) >= most {
		return &Error{Code: AtCapacity, Reason: "The service has as many streams as it may have"}
	}
	return c.account.refusal(address)
}

// ended: a connection has stopped, however it came to that. This is the last
// guard inside the actors that its reader hears of it.
func (c *connections) ended(ctx actor.Context, who *actor.PID) {
	stream := c.open[who.Id]
	if stream == nil {
		return
	}
	delete(c.open, who.Id)
	delete(c.streams, stream.id)
	c.settle(stream)
	if c.drain != nil && len(c.open) == 0 {
		c.drained(ctx)
	}
}

// settle takes a stream out of the books.
func (c *connections) settle(stream *Stream) {
	c.account.leave(stream.address)
	c.system.count.streams.Add(-1)
	stream.finish(&Error{Code: InternalError, Reason: "The stream's actor ended without a word"})
	c.system.count.countEnd(stream.outcome())
	c.system.ends.add(stream)
}

// abandon: this instance ends, and its connections with it.
func (c *connections) abandon() {
	for _, stream := range c.open {
		stream.finish(c.system.anew())
		c.settle(stream)
	}
	clear(c.open)
}

func (c *connections) startDrain(ctx actor.Context, msg drain) {
	if c.drain == nil {
		c.become("draining")
		c.system.draining.Store(true)
		c.drain = &draining{left: slices.Clone(ctx.Children()), step: math.MaxInt64} // cloned: it is the actor's own list
	}
	if c.drain.hasten(msg.spread) {
		c.shutNext(ctx)
	}
	if ctx.Sender() != nil {
		c.drain.asked = append(c.drain.asked, ctx.Sender())
	}
	if len(c.open) == 0 {
		c.drained(ctx)
	}
}

// hasten sets the pace so that all are told within spread, and tells whether
// that is faster than before: a drain that is asked for again may be in more of
// a hurry.
func (d *draining) hasten(spread time.Duration) bool {
	n := max(1, len(d.left))
	groups := min(n, max(1, int(spread/drainStep)))
	chunk, step := (n+groups-1)/groups, spread/time.Duration(groups)
	if chunk <= d.chunk && step >= d.step {
		return false
	}
	d.chunk, d.step = max(chunk, d.chunk), min(step, d.step)
	return true
}

func (c *connections) shutNext(ctx actor.Context) {
	d := c.drain
	if d.timer != nil {
		d.timer.Stop()
	}
	n := min(d.chunk, len(d.left))
	for _, pid := range d.left[:n] {
		ctx.Send(pid, shutdown{})
	}
	if d.left = d.left[n:]; len(d.left) > 0 {
		d.timer = c.system.after(d.step, ctx.Self(), shutNext{})
	}
}

func (c *connections) drained(ctx actor.Context) {
	for _, pid := range c.drain.asked {
		ctx.Send(pid, drained{})
	}
	c.drain.asked = nil
}

func (c *connections) endStream(ctx actor.Context, msg endStream) {
	pid := c.streams[msg.stream]
	if pid == nil {
		answer(ctx, refused{err: errNoSuchStream})
		return
	}
	ctx.Send(pid, spoiled{err: errEndedByHand})
	answer(ctx, admitted{})
}

func (c *connections) crash(ctx actor.Context, msg crash) {
	if msg.role == RoleConnections {
		answer(ctx, crashed{})
		panic(planted(msg.role))
	}
	pid := c.streams[msg.stream]
	if pid == nil || (msg.role == RoleFeed && c.feeds == nil) {
		answer(ctx, refused{err: errNoSuchActor})
		return
	}
	ctx.Send(pid, fail{role: msg.role})
	answer(ctx, crashed{})
}
