package actors

import (
	"maps"
	"sync"
	"sync/atomic"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Stats are the System's counters since Open, and its present gauges.
type Stats struct {
	Streams        int64          // open now
	Opened         int64          // streams admitted
	Ended          map[Code]int64 // streams ended, by code; ClientGone where the reader left first
	Refused        map[Code]int64 // streams refused before their head, by code
	Links          int64          // AMQP connections up now
	Leases         int64          // channels leased now
	Waiting        int64          // streams that wait for a channel now
	Workers        int64          // goroutines that hold a channel now
	Feeds          int64          // shared queues now
	FeedStreams    int64          // streams that are attached to them now
	Routed         int64          // of those, streams of the routed queue that are ready
	Patterns       int64          // distinct patterns that they are routed by, per exchange
	Dials          int64          // tries to reach the broker
	DialsFailed    int64
	LinksLost      int64
	LinksRetired   int64            // links that were taken out of use because one of their calls was not answered
	LinksWatched   int64            // links that hear canaries now
	NodesBlind     int64            // nodes of the broker that have links, and do not hear the others, now
	Scouts         int64            // tries of exchanges and of further channels, on links without streams
	RebindsUntried int64            // exchanges whose bindings were repeated although no scout could try them before
	RebindsSkipped int64            // times that a queue's bindings were not repeated: a scout had no answer, or no right
	Denied         int64            // times that the broker let this service not make or use a queue of its own
	Moved          int64            // streams ended so that their clients come to another node of the broker
	MessagesFrom   map[string]int64 // deliveries taken, by the broker's address
	Messages       int64            // deliveries taken from the broker
	Matches        int64            // messages handed to routed streams, counted once for each
	Filtered       int64            // messages that a Request.Map has dropped
	Unwanted       int64            // deliveries that no routed stream wants
	Misrouted      int64            // times that a message has shown Options.RoutedExchanges to be wrong
	Bytes          int64            // of their bodies
	Dropped        int64            // messages that the broker has dropped from streams' queues
	Redelivered    int64            // of them, marked as delivered before
	Payloads       map[string]int64 // of them, those that are not JSON, by payloadEncoding
	Restarts       int64            // actors restarted by their supervisor
	Failures       int64            // actors that failed, planned failures of a stream's consumer included
}

// counters is where the actors count. Its methods may be called concurrently.
type counters struct {
	streams, opened                 atomic.Int64
	links, leases, waiting, workers atomic.Int64
	feeds, feedStreams              atomic.Int64
	routed, patterns                atomic.Int64
	matches, unwanted, misrouted    atomic.Int64
	dials, dialsFailed, linksLost   atomic.Int64
	linksRetired, scouts, denied    atomic.Int64
	linksWatched, nodesBlind        atomic.Int64
	rebindsUntried, rebindsSkipped  atomic.Int64
	up                              atomic.Bool // a link may get new streams
	isDenied                        atomic.Bool // the broker denies this service its queues
	messages, bytes, redelivered    atomic.Int64
	dropped, moved, filtered        atomic.Int64
	restarts, failures              atomic.Int64
	mu                              sync.Mutex
	ended, refused                  map[Code]int64
	payloads                        map[string]int64
	from                            map[string]*atomic.Int64 // deliveries by the broker's address
}

func newCounters() *counters {
	return &counters{ended: map[Code]int64{}, refused: map[Code]int64{}, payloads: map[string]int64{}, from: map[string]*atomic.Int64{}}
}

// messagesFrom returns the counter of deliveries from an address of the broker.
func (c *counters) messagesFrom(address string) *atomic.Int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.from[address] == nil {
		c.from[address] = new(atomic.Int64)
	}
	return c.from[address]
}

func (c *counters) countEnd(code Code)     { c.mu.Lock(); c.ended[code]++; c.mu.Unlock() }
func (c *counters) countRefusal(code Code) { c.mu.Lock(); c.refused[code]++; c.mu.Unlock() }

func (c *counters) countMessage(m *Message, size int, encoding string) {
	c.messages.Add(1)
	c.bytes.Add(int64(size))
	if m.Redelivered {
		c.redelivered.Add(1)
	}
	if encoding != "" {
		c.mu.Lock()
		c.payloads[encoding]++
		c.mu.Unlock()
	}
}

// countUnread counts a delivery of which no reader receives anything.
func (c *counters) countUnread(d *amqp.Delivery) {
	c.messages.Add(1)
	c.bytes.Add(int64(len(d.Body)))
	if d.Redelivered {
		c.redelivered.Add(1)
	}
}

func (c *counters) countUnwanted(d *amqp.Delivery) {
	c.unwanted.Add(1)
	c.countUnread(d)
}

// stats returns the counters and gauges as they are now.
func (c *counters) stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	from := make(map[string]int64, len(c.from))
	for address, n := range c.from {
		from[address] = n.Load()
	}
	return Stats{
		Streams: c.streams.Load(), Opened: c.opened.Load(), Ended: maps.Clone(c.ended), Refused: maps.Clone(c.refused),
		Links: c.links.Load(), Leases: c.leases.Load(), Waiting: c.waiting.Load(), Workers: c.workers.Load(),
		Feeds: c.feeds.Load(), FeedStreams: c.feedStreams.Load(), Routed: c.routed.Load(), Patterns: c.patterns.Load(),
		Matches: c.matches.Load(), Filtered: c.filtered.Load(), Unwanted: c.unwanted.Load(), Misrouted: c.misrouted.Load(),
		Dials: c.dials.Load(), DialsFailed: c.dialsFailed.Load(), LinksLost: c.linksLost.Load(),
		RebindsUntried: c.rebindsUntried.Load(), RebindsSkipped: c.rebindsSkipped.Load(),
		LinksWatched: c.linksWatched.Load(), NodesBlind: c.nodesBlind.Load(),
		LinksRetired: c.linksRetired.Load(), Scouts: c.scouts.Load(), Denied: c.denied.Load(),
		Moved: c.moved.Load(), MessagesFrom: from, Messages: c.messages.Load(), Bytes: c.bytes.Load(), Dropped: c.dropped.Load(), Redelivered: c.redelivered.Load(), Payloads: maps.Clone(c.payloads),
		Restarts: c.restarts.Load(), Failures: c.failures.Load(),
	}
}
