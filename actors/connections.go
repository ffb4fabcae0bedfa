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
// Parent:  root, which restarts it; its connections end then.
// Ends:    with the System.
type connections struct {
	*node
	core    *core
	broker  *actor.PID
	feeds   *actor.PID            // nil where there are none
	streams map[string]*Stream    // by the connection's PID
	pids    map[string]*actor.PID // of the connections, by the stream's id
	account *account
	drain   *drainPlan // nil before a drain
	timers  timers
}

// drainPlan is how far a drain has come.
type drainPlan struct {
	left  []*actor.PID  // not yet told to shut down
	chunk int           // how many are told at a time
	step  time.Duration // the time between two groups
	timer *timer        // of the next group
	asked []asked       // what is answered at the end
	err   *Error        // what the streams are told
}

// drainStep is the shortest time between two groups of streams.
const drainStep = 20 * time.Millisecond

func newConnections(c *core, n *node, broker, feeds *actor.PID) *connections {
	return &connections{
		node: n, core: c, broker: broker, feeds: feeds, streams: map[string]*Stream{}, pids: map[string]*actor.PID{},
		account: newAccount(*c.limits()),
	}
}

// Receive admits streams, hears of their ends, and drains.
func (c *connections) Receive(ctx actor.Context) {
	switch msg := c.timers.event(question(ctx.Message())).(type) {
	case *actor.Started:
		c.setState("running")
	case admit:
		c.admit(ctx, msg)
	case examine:
		c.examine(ctx, msg)
	case reconnect:
		c.reconnect(ctx, msg)
	case *actor.Terminated:
		c.childStopped(ctx, msg.Who)
	case drain:
		c.startDrain(ctx, msg)
	case shutdownNext:
		c.shutdownNext(ctx)
	case endStreams:
		c.endStreams(ctx, msg)
	case sendCustom:
		c.sendCustom(ctx, msg)
	case crash:
		c.crash(ctx, msg)
	case *actor.Restarting, *actor.Stopping:
		c.endAll()
	case *actor.Stopped:
		c.unregister()
	}
}

func (c *connections) admit(ctx actor.Context, msg admit) {
	stream := msg.stream
	err := c.check(stream.address)
	if err == nil {
		err = c.account.checkSubject(stream.subject.name)
	}
	if err != nil {
		c.core.count.countRefusal(err.Code)
		answer(ctx, refused{err: err})
		return
	}
	limits := c.core.limits()
	in := intake{bindings: msg.bindings, prefetch: limits.Prefetch, bytes: limits.BacklogBytes, sink: stream}
	if stream.mapping != nil {
		in.mapper = stream
	}
	pid := c.spawn(ctx, stream, in)
	c.account.enter(stream.address, stream.subject.name)
	c.streams[pid.Id], c.pids[stream.id] = stream, pid
	c.core.count.opened.Add(1)
	c.core.count.streams.Add(1)
	stream.ownedBy(connectionOwner{root: c.core.rootContext, pid: pid})
	answer(ctx, admitted{})
}

func (c *connections) spawn(ctx actor.Context, stream *Stream, in intake) *actor.PID {
	return c.core.spawn(ctx, c.node, RoleConnection, stream.id, stopAlways, func(n *node) actor.Actor {
		n.stream = stream
		source := source{core: c.core, node: n, broker: c.broker, intake: in}
		connection := &connection{node: n, core: c.core, stream: stream, source: source}
		if stream.fed {
			connection.feeds = c.feeds
		}
		return connection
	})
}

func (c *connections) examine(ctx actor.Context, msg examine) {
	if err := c.check(msg.address); err != nil {
		c.core.count.countRefusal(err.Code)
		answer(ctx, refused{err: err})
		return
	}
	answer(ctx, admitted{})
}

func (c *connections) reconnect(ctx actor.Context, msg reconnect) {
	c.account.use(*c.core.limits())
	if err := c.account.connect(msg.address); err != nil {
		c.core.count.countRefusal(err.Code)
		answer(ctx, refused{err: err})
		return
	}
	answer(ctx, admitted{})
}

// check returns why a stream of this address is not admitted now, nil where it is. The order is the
// contract's: the service first, then the address.
func (c *connections) check(address string) *Error {
	if c.core.draining.Load() {
		return errDraining
	}
	limits := c.core.limits()
	if most := limits.Streams; most > 0 && len(c.streams) >= most {
		return &Error{Code: AtCapacity, Reason: "The service has as many streams as it may have"}
	}
	c.account.use(*limits)
	return c.account.check(address)
}

// childStopped: a connection has stopped, for whatever reason. This is the last guard inside the
// actors that its reader hears of it.
func (c *connections) childStopped(ctx actor.Context, who *actor.PID) {
	stream := c.streams[who.Id]
	if stream == nil {
		return
	}
	delete(c.streams, who.Id)
	delete(c.pids, stream.id)
	c.recordEnd(stream)
	if c.drain != nil && len(c.streams) == 0 {
		c.drained()
	}
}

// recordEnd takes a stream out of the account and counts its end.
func (c *connections) recordEnd(stream *Stream) {
	c.account.leave(stream.address, stream.subject.name)
	c.core.count.streams.Add(-1)
	stream.finish(errActorEnded)
	end := endOfStream(stream, stream.Ended())
	c.core.count.countEnd(end.Code)
	c.core.streamEnded(stream, c.core.recent.add(end))
}

// endAll is called when this instance ends, and its connections with it.
func (c *connections) endAll() {
	c.timers.stop()
	err := c.core.parentEnded().among(len(c.streams))
	for _, stream := range c.streams {
		stream.finish(err)
		c.recordEnd(stream)
	}
	clear(c.streams)
}

func (c *connections) startDrain(ctx actor.Context, msg drain) {
	if c.drain == nil {
		c.setState("draining")
		c.core.draining.Store(true)
		c.drain = &drainPlan{left: slices.Clone(ctx.Children()), step: math.MaxInt64, err: errShutdown.among(len(c.streams))} // cloned: it is the actor's own list
	}
	if c.drain.speedUp(msg.spread) {
		c.shutdownNext(ctx)
	}
	if q, ok := ctx.Message().(asked); ok {
		c.drain.asked = append(c.drain.asked, q)
	}
	if len(c.streams) == 0 {
		c.drained()
	}
}

// speedUp sets the pace so that all are told within spread, and reports whether that is faster than
// before: a drain that is asked for again may have less time.
func (d *drainPlan) speedUp(spread time.Duration) bool {
	n := max(1, len(d.left))
	groups := min(n, max(1, int(spread/drainStep)))
	chunk, step := (n+groups-1)/groups, spread/time.Duration(groups)
	if chunk <= d.chunk && step >= d.step {
		return false
	}
	d.chunk, d.step = max(chunk, d.chunk), min(step, d.step)
	return true
}

func (c *connections) shutdownNext(ctx actor.Context) {
	d := c.drain
	c.timers.cancel(d.timer)
	n := min(d.chunk, len(d.left))
	for _, pid := range d.left[:n] {
		ctx.Send(pid, shutdown{err: d.err})
	}
	if d.left = d.left[n:]; len(d.left) > 0 {
		d.timer = c.timers.after(ctx, d.step, shutdownNext{})
	}
}

func (c *connections) drained() {
	for _, q := range c.drain.asked {
		q.answer(drained{})
	}
	c.drain.asked = nil
}

// endStreams ends streams here and now, before their connections know: no message is offered to
// them after the answer.
func (c *connections) endStreams(ctx actor.Context, msg endStreams) {
	var meant []*Stream
	for _, stream := range c.streams {
		if msg.which.selects(stream) && stream.Ended() == nil {
			meant = append(meant, stream)
		}
	}
	err := msg.err.among(len(meant))
	for _, stream := range meant {
		stream.Fail(err)
	}
	answer(ctx, endedStreams{count: len(meant)})
}

// sendCustom sends an event to streams. One that has no room for it goes without.
func (c *connections) sendCustom(ctx actor.Context, msg sendCustom) {
	sent := 0
	for _, stream := range c.streams {
		if msg.which.selects(stream) && stream.put(msg.event) == nil {
			sent++
		}
	}
	answer(ctx, sentCustom{count: sent})
}

func (c *connections) crash(ctx actor.Context, msg crash) {
	if msg.role == RoleConnections {
		answer(ctx, crashed{})
		panic(requestedFailure(msg.role))
	}
	pid := c.pids[msg.stream]
	if pid == nil || (msg.role == RoleFeed && !c.streams[pid.Id].fed) {
		answer(ctx, refused{err: errNoSuchActor})
		return
	}
	ctx.Send(pid, fail{role: msg.role})
	answer(ctx, crashed{})
}
