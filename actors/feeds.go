package actors

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// feeds has a feed for each distinct set of bindings (shared mode), and a routed feed for all
// streams whose bindings are on routed exchanges.
//
// Owns:    the feeds (PIDs), and which stream is attached to which.
// Parent:  root, which restarts it; every attached stream ends then.
// Ends:    with the System.
type feeds struct {
	*node
	core     *core
	broker   *actor.PID
	byKey    map[string]*feedEntry
	byFeed   map[string]*feedEntry // by the feed's PID
	byStream map[*Stream]*feedEntry
	timers   timers
}

// feedEntry is a feed and its streams.
type feedEntry struct {
	key      string
	feed     *actor.PID
	attached map[*Stream]*actor.PID // and their connections
	idle     int                    // how often the feed has become idle
}

func newFeeds(c *core, n *node, broker *actor.PID) *feeds {
	return &feeds{
		node: n, core: c, broker: broker,
		byKey: map[string]*feedEntry{}, byFeed: map[string]*feedEntry{}, byStream: map[*Stream]*feedEntry{},
	}
}

// Receive handles the streams that come and go, and the feeds' failures.
func (f *feeds) Receive(ctx actor.Context) {
	switch msg := f.timers.event(ctx.Message()).(type) {
	case *actor.Started:
		f.setState("running")
	case attach:
		f.attach(ctx, msg)
	case detach:
		f.detach(ctx, msg)
	case stopLingering:
		f.stopLingering(ctx)
	case lingered:
		f.stopIdle(ctx, msg)
	case failed:
		f.failed(ctx, ctx.Sender(), msg.err)
	case *actor.Terminated:
		f.failed(ctx, msg.Who, errFeedEnded)
	case fail:
		f.crash(ctx, msg)
	case *actor.Restarting, *actor.Stopping:
		f.endAll(ctx)
	case *actor.Stopped:
		f.unregister()
	}
	f.publish()
}

// publish sets the gauges that anything may read.
func (f *feeds) publish() {
	f.core.count.feeds.Store(int64(len(f.byFeed)))
	f.core.count.feedStreams.Store(int64(len(f.byStream)))
}

func (f *feeds) attach(ctx actor.Context, msg attach) {
	key := routedKey
	if !f.core.routing.routes(msg.bindings) {
		key = feedKey(msg.bindings)
	}
	entry := f.byKey[key]
	if entry == nil {
		entry = f.spawn(ctx, key, msg.bindings)
	}
	entry.attached[msg.stream] = ctx.Sender()
	f.byStream[msg.stream] = entry
	ctx.Forward(entry.feed)
}

func (f *feeds) spawn(ctx actor.Context, key string, bindings []amqp.Binding) *feedEntry {
	c := f.core
	pid := c.spawn(ctx, f.node, RoleFeed, "", stopAlways, func(n *node) actor.Actor {
		if key == routedKey {
			return newRoutedFeed(c, n, f.broker)
		}
		h := newHub()
		limits := c.limits()
		in := intake{bindings: bindings, prefetch: limits.FeedPrefetch, bytes: feedBytes * limits.BacklogBytes, sink: h}
		source := source{core: c, node: n, broker: f.broker, intake: in}
		return &feed{feedQueue: feedQueue{node: n, source: source}, hub: h, waiting: map[*Stream]*actor.PID{}}
	})
	entry := &feedEntry{key: key, feed: pid, attached: map[*Stream]*actor.PID{}}
	f.byKey[key], f.byFeed[pid.Id] = entry, entry
	return entry
}

// feedBytes is how many times the bytes of one reader may be under way to a feed, which serves
// many.
const feedBytes = 4

// detach: the last stream's leaving ends the feed, unless another one attaches soon.
func (f *feeds) detach(ctx actor.Context, msg detach) {
	entry := f.byStream[msg.stream]
	if entry == nil {
		return
	}
	delete(f.byStream, msg.stream)
	delete(entry.attached, msg.stream)
	ctx.Forward(entry.feed)
	if len(entry.attached) == 0 {
		entry.idle++
		f.timers.after(ctx, f.linger(), lingered{key: entry.key, idle: entry.idle})
	}
}

// linger returns how long a feed stays without a stream: no time once no stream can come.
func (f *feeds) linger() time.Duration {
	if f.core.draining.Load() {
		return 0
	}
	return f.core.limits().Linger
}

// stopIdle stops a feed that has had no stream since it became idle.
func (f *feeds) stopIdle(ctx actor.Context, msg lingered) {
	entry := f.byKey[msg.key]
	if entry != nil && entry.idle == msg.idle && len(entry.attached) == 0 {
		f.remove(entry)
		ctx.Stop(entry.feed)
	}
}

// stopLingering: a drain has begun, no stream will come.
func (f *feeds) stopLingering(ctx actor.Context) {
	for _, entry := range f.byKey {
		f.stopIdle(ctx, lingered{key: entry.key, idle: entry.idle})
	}
}

// failed sends every attached stream the reason, those too whose attach the feed could no longer
// answer. The next stream gets a new feed.
func (f *feeds) failed(ctx actor.Context, feed *actor.PID, err *Error) {
	entry := f.byFeed[feed.Id]
	if entry == nil {
		return
	}
	f.remove(entry)
	ctx.Stop(feed)
	err = err.among(len(entry.attached))
	for stream, connection := range entry.attached {
		delete(f.byStream, stream)
		ctx.Send(connection, finish{err: err})
	}
}

func (f *feeds) remove(entry *feedEntry) {
	delete(f.byKey, entry.key)
	delete(f.byFeed, entry.feed.Id)
}

func (f *feeds) crash(ctx actor.Context, msg fail) {
	if msg.role == RoleFeeds {
		panic(requestedFailure(msg.role))
	}
	if entry := f.byStream[msg.stream]; entry != nil {
		ctx.Forward(entry.feed)
	}
}

// endAll is called when this instance ends, and its feeds with it.
func (f *feeds) endAll(ctx actor.Context) {
	f.timers.stop()
	err := f.core.parentEnded().among(len(f.byStream))
	for _, entry := range f.byFeed {
		f.failed(ctx, entry.feed, err)
	}
}

// routedKey is the key of the routed feed: no set of bindings has it.
const routedKey = ""

// feedKey returns a key that is the same for equal sets of bindings, in whatever order. Names hold
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
