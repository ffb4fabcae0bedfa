package random

import (
	"context"
	"fmt"
	"strings"

	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// What the process may keep of a crowd for a while: free pages that go back later.
const (
	residentSlack = 96 << 20
	heapSlack     = 32 << 20
)

// afterwards looks at what the clients have left behind.
func (c *conductor) afterwards(ctx context.Context) {
	c.cleanProcess(ctx)
	c.cleanBroker(ctx)
}

// cleanProcess waits until the process is where it was.
func (c *conductor) cleanProcess(ctx context.Context) {
	lacks, now, end := "", c.latest(), vitals{}
	ok := c.until(ctx, func() bool {
		var err error
		if now, err = c.operator.tree(ctx); err == nil {
			end, err = c.operator.vitals(ctx)
		}
		if err != nil {
			lacks = err.Error()
			return false
		}
		lacks = c.left(now, end)
		return lacks == ""
	})
	if ctx.Err() != nil {
		return
	}
	c.picture.Store(&now)
	c.history.Add(sampleOf(now, end))
	c.book.report.After = Vitals{end.goroutines, end.descriptors, end.resident, end.heap}
	c.book.tried(processClean)
	if !ok {
		c.book.violate(processClean, "%s after the last stream: %s", c.options.Patience, lacks)
	}
}

// left describes what of the clients is still in the process; it returns "" if there is nothing.
func (c *conductor) left(now picture, v vitals) string {
	var left []string
	more := func(what string, have, before, slack float64) {
		if have > before+slack {
			left = append(left, fmt.Sprintf("%.0f %s, %.0f before", have, what, before))
		}
	}
	first, before := c.first, c.book.report.Before
	more("streams", float64(now.Stats.Streams), float64(first.Stats.Streams), 0)
	more("channels", float64(now.Stats.Workers), float64(first.Stats.Workers), 0)
	more("leases", float64(now.Stats.Leases), float64(first.Stats.Leases), 0)
	more("actors of streams", float64(len(now.Actors)-permanent(now.Actors)), float64(len(first.Actors)-permanent(first.Actors)), 0)
	more("goroutines", v.goroutines, before.Goroutines, 0)
	more("descriptors", v.descriptors, before.Descriptors, 0)
	more("bytes of heap", v.heap, before.Heap, heapSlack)
	more("bytes resident", v.resident, before.Resident, residentSlack)
	return strings.Join(left, "; ")
}

// cleanBroker waits until the broker holds no more of the proxy's than before. Where the last census
// has failed, nothing is known of that.
func (c *conductor) cleanBroker(ctx context.Context) {
	if c.options.Census == nil {
		return
	}
	var end Census
	var err error
	ok := c.until(ctx, func() bool {
		end, err = c.options.Census(ctx)
		return err == nil && !exceeds(end, c.censusBefore)
	})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		c.history.Add(history.Census{Account: c.options.Account, Error: err.Error()})
		c.book.untried(brokerClean, "the last census failed: %v", err)
		return
	}
	c.history.Add(censusOf(end, c.options.Account))
	c.book.tried(brokerClean)
	if !ok {
		c.book.violate(brokerClean, "left on the broker: %+v; before: %+v", end, c.censusBefore)
	}
}

// perLink is how many queues and channels a link may have beside those of its workers: for dead
// letters, for questions to the broker.
const perLink = 2

// held looks at what the broker holds while the clients are there and nothing is harmed: what a
// stream has left behind earlier may be gone with its link when the last one leaves.
func (c *conductor) held(ctx context.Context) {
	if c.options.Census == nil || ctx.Err() != nil {
		return
	}
	var now history.Held
	var err error
	ok := c.until(ctx, func() bool {
		now, err = c.holds(ctx)
		return err == nil && max(now.Queues, now.Channels) <= most(now)
	})
	if ctx.Err() != nil || err != nil {
		return
	}
	c.history.Add(now)
	c.book.tried(needed)
	if !ok {
		c.book.violate(needed, "%d queues and %d channels are held, and at most %d are needed", now.Queues, now.Channels, most(now))
	}
}

// acknowledged waits until the broker holds no message, when every client has all: nothing is published
// any more, and what was written is acknowledged soon.
func (c *conductor) acknowledged(ctx context.Context) {
	if c.options.Backlog == nil || ctx.Err() != nil {
		return
	}
	var messages int
	var err error
	ok := c.until(ctx, func() bool {
		messages, err = c.options.Backlog(ctx)
		return err == nil && messages == 0
	})
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		c.book.untried(acknowledged, "the broker's messages could not be counted: %v", err)
		c.history.Add(history.Backlog{Error: err.Error()})
		return
	}
	c.history.Add(history.Backlog{Messages: messages})
	c.book.tried(acknowledged)
	if !ok {
		c.book.violate(acknowledged, "%s after every client has all, the broker holds %d messages", c.options.Patience, messages)
	}
}

func (c *conductor) holds(ctx context.Context) (history.Held, error) {
	tree, err := c.operator.tree(ctx)
	if err != nil {
		return history.Held{}, err
	}
	broker, err := c.options.Census(ctx)
	return history.Held{
		Queues: broker.Queues, Channels: broker.Channels, Connections: broker.Connections, Account: c.options.Account,
		Workers: tree.Stats.Workers, Nodes: c.options.Nodes,
	}, err
}

// most is how many queues the broker may hold.
func most(h history.Held) int { return int(h.Workers) + perLink*(h.Connections+h.Nodes) }

// end ends the proxy, and looks at how it goes.
func (c *conductor) end() {
	if c.options.End == nil {
		return
	}
	err, record := c.options.End(), history.Ended{}
	c.book.tried(orderlyEnd)
	if err != nil {
		record.Error = err.Error()
		c.book.violate(orderlyEnd, "%v", err)
	}
	c.history.Add(record)
}

func exceeds(now, before Census) bool {
	return now.Queues > before.Queues || now.Consumers > before.Consumers || now.Bindings > before.Bindings ||
		now.Channels > before.Channels || now.Connections > before.Connections
}

// countReal holds the harms that are claimed against the proxy's own counters.
func (c *conductor) countReal() {
	now := c.picture.Load()
	if now == nil {
		return
	}
	failures := now.Stats.Failures - c.first.Stats.Failures
	crashes := int64(0)
	for _, h := range c.book.report.Harms {
		if strings.HasPrefix(h.Name, "crash ") {
			crashes += int64(h.Seen)
		}
	}
	c.book.tried(realHarm)
	if crashes > failures {
		c.book.violate(realHarm, "%d crashes are claimed, and the proxy has counted %d failures of actors", crashes, failures)
	}
}
