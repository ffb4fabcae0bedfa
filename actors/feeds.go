package actors

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// feeds gives each distinct set of bindings its feed (shared mode).
//
// Owns:    the feeds (PIDs), and who is attached to which.
// Parent:  events, which restarts it; every attached stream ends then.
// Ends:    with the System.
type feeds struct {
	*node
	system   *System
	broker   *actor.PID
	byKey    map[string]*fed
	byFeed   map[string]*fed // by the feed's PID
	byStream map[*Stream]*fed
}

// fed is the streams of one feed.
type fed struct {
	key      string
	feed     *actor.PID
	attached map[*Stream]*actor.PID // and their connections
	turn     int                    // counts how often the feed has become idle
}

func newFeeds(s *System, n *node, broker *actor.PID) *feeds {
	return &feeds{
		node: n, system: s, broker: broker,
		byKey: map[string]*fed{}, byFeed: map[string]*fed{}, byStream: map[*Stream]*fed{},
	}
}

// Receive is the table of contents.
func (f *feeds) Receive(ctx actor.Context) {
	switch msg := ctx.Message().(type) {
	case *actor.Started:
		f.become("running")
	case attach:
		f.attach(ctx, msg)
	case detach:
		f.detach(ctx, msg)
	case hurry:
		f.hurry(ctx)
	case lingered:
		f.retire(ctx, msg)
	case failed:
		f.failed(ctx, ctx.Sender(), msg.err)
	case *actor.Terminated:
		f.failed(ctx, msg.Who, &Error{Code: InternalError, Reason: "The stream's feed ended without a word"})
	case fail:
		f.crash(ctx, msg)
	case *actor.Restarting, *actor.Stopping:
		f.abandon(ctx)
	case *actor.Stopped:
		f.leave()
	}
}

func (f *feeds) attach(ctx actor.Context, msg attach) {
	key := feedKey(msg.bindings)
	entry := f.byKey[key]
	if entry == nil {
		entry = f.open(ctx, key, msg.bindings)
	}
	entry.attached[msg.stream] = ctx.Sender()
	f.byStream[msg.stream] = entry
	ctx.Forward(entry.feed)
}

func (f *feeds) open(ctx actor.Context, key string, bindings []amqp.Binding) *fed {
	s := f.system
	pid := s.spawn(ctx, f.node, RoleFeed, "", stopAlways, func(n *node) actor.Actor {
		h := newHub()
		source := subscription{system: s, node: n, broker: f.broker, bindings: bindings, sink: h}
		return &feed{node: n, hub: h, source: source, waiting: map[*Stream]*actor.PID{}}
	})
	entry := &fed{key: key, feed: pid, attached: map[*Stream]*actor.PID{}}
	f.byKey[key], f.byFeed[pid.Id] = entry, entry
	return entry
}

// detach: the last one's leaving ends the feed, unless somebody comes soon.
func (f *feeds) detach(ctx actor.Context, msg detach) {
	entry := f.byStream[msg.stream]
	if entry == nil {
		return
	}
	delete(f.byStream, msg.stream)
	delete(entry.attached, msg.stream)
	ctx.Forward(entry.feed)
	if len(entry.attached) == 0 {
		entry.turn++
		f.system.after(f.linger(), ctx.Self(), lingered{key: entry.key, turn: entry.turn})
	}
}

// linger is no time at all once nobody can come back.
func (f *feeds) linger() time.Duration {
	if f.system.draining.Load() {
		return 0
	}
	return f.system.options.Limits.Linger
}

func (f *feeds) retire(ctx actor.Context, msg lingered) {
	entry := f.byKey[msg.key]
	if entry != nil && entry.turn == msg.turn && len(entry.attached) == 0 {
		f.forget(entry)
		ctx.Stop(entry.feed)
	}
}

// hurry: a drain has begun, nobody will come back.
func (f *feeds) hurry(ctx actor.Context) {
	for _, entry := range f.byKey {
		f.retire(ctx, lingered{key: entry.key, turn: entry.turn})
	}
}

// failed: whoever is attached hears why, those too whose attach the feed could
// no longer answer. The next one gets a new feed.
func (f *feeds) failed(ctx actor.Context, feed *actor.PID, err *Error) {
	entry := f.byFeed[feed.Id]
	if entry == nil {
		return
	}
	f.forget(entry)
	ctx.Stop(feed)
	for stream, connection := range entry.attached {
		delete(f.byStream, stream)
		ctx.Send(connection, spoiled{err: err})
	}
}

func (f *feeds) forget(entry *fed) {
	delete(f.byKey, entry.key)
	delete(f.byFeed, entry.feed.Id)
}

func (f *feeds) crash(ctx actor.Context, msg fail) {
	if msg.role == RoleFeeds {
		panic(planted(msg.role))
	}
	if entry := f.byStream[msg.stream]; entry != nil {
		ctx.Forward(entry.feed)
	}
}

// abandon: this instance ends, and its feeds with it.
func (f *feeds) abandon(ctx actor.Context) {
	for _, entry := range f.byFeed {
		f.failed(ctx, entry.feed, f.system.anew())
	}
}

// feedKey is the same for equal sets of bindings, in whatever order. Names hold
// no control characters, so these can stand between them.
func feedKey(bindings []amqp.Binding) string {
	sorted := slices.Clone(bindings)
	slices.SortFunc(sorted, func(a, b amqp.Binding) int {
		return cmp.Or(strings.Compare(a.Exchange, b.Exchange), strings.Compare(a.Pattern, b.Pattern))
	})
	var key strings.Builder
	for _, b := range sorted {
		key.WriteString(b.Exchange + "\x00" + b.Pattern + "\x01")
	}
	return key.String()
}
