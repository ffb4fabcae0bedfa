package random

import (
	"context"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// How often the proxy's tree, its figures and the broker are looked at.
const (
	treeEvery   = 150 * time.Millisecond
	vitalsEvery = 500 * time.Millisecond
	censusEvery = time.Second
)

// latest is the last picture of the tree.
func (c *conductor) latest() picture { return *c.picture.Load() }

// watch keeps the picture up to date and looks after the harms, until ctx ends.
func (c *conductor) watch(ctx context.Context) {
	start, answered, nextVitals, nextCensus := time.Now(), time.Now(), time.Time{}, time.Time{}
	tick := time.NewTicker(treeEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := c.operator.tree(ctx)
		if err != nil {
			if time.Since(answered) > c.options.Patience && ctx.Err() == nil {
				c.giveUpRun(err)
				return
			}
			continue
		}
		answered = time.Now()
		c.failuresBetween(c.latest(), now)
		c.linksBetween(c.latest(), now)
		c.picture.Store(&now)
		c.readEnds(ctx)
		c.lookAfter(ctx)
		if time.Now().After(nextVitals) {
			nextVitals = time.Now().Add(vitalsEvery)
			c.sample(ctx, now, start)
		}
		if time.Now().After(nextCensus) {
			nextCensus = time.Now().Add(censusEvery)
			c.takeCensus(ctx)
		}
	}
}

// giveUpRun ends a run whose proxy answers no more.
func (c *conductor) giveUpRun(err error) {
	c.phase("gone")
	c.book.violate(served, "the proxy has not answered for %s: %v", c.options.Patience, err)
	c.gone.Store(true)
	c.stop()
}

// sample records the proxy's figures, and holds its memory against the limit.
func (c *conductor) sample(ctx context.Context, now picture, start time.Time) {
	v, err := c.operator.vitals(ctx)
	if err != nil {
		return
	}
	c.history.Add(sampleOf(now, v))
	c.book.remember(int(time.Since(start)/time.Minute), v.resident)
	if most := c.options.Memory; most > 0 {
		c.book.tried(memoryBound)
		if v.resident > float64(most) {
			c.book.violate(memoryBound, "%.0f bytes are resident, at most %d may be", v.resident, most)
		}
	}
	c.options.Progress(c.progress())
}

func sampleOf(now picture, v vitals) history.Sample {
	s := history.Sample{
		Streams: now.Stats.Streams, Channels: now.Stats.Workers, Links: now.Stats.Links, LinksLost: now.Stats.LinksLost,
		Restarts: now.Stats.Restarts, Failures: now.Stats.Failures, Messages: now.Stats.Messages, Ended: map[string]int64{},
		Goroutines: v.goroutines, Descriptors: v.descriptors, Resident: v.resident, Heap: v.heap,
		Actors: len(now.Actors) - permanent(now.Actors),
	}
	for code, n := range now.Stats.Ended {
		s.Ended[string(code)] = n
	}
	return s
}

// permanent counts the actors that belong to no stream.
func permanent(list []actors.Actor) (count int) {
	for _, a := range list {
		switch a.Role {
		case actors.RoleConnection, actors.RoleConsumer, actors.RoleFeed:
		default:
			count++
		}
	}
	return count
}

func (c *conductor) takeCensus(ctx context.Context) {
	if c.options.Census == nil {
		return
	}
	if now, err := c.options.Census(ctx); err == nil {
		c.history.Add(censusOf(now, c.options.Account))
	}
}

func censusOf(c Census, account string) history.Census {
	return history.Census{
		Queues: c.Queues, Consumers: c.Consumers, Bindings: c.Bindings, Channels: c.Channels, Connections: c.Connections,
		Account: account,
	}
}

// failuresBetween notes the failures of actors that are there once, unless the
// proxy's log tells of them.
func (c *conductor) failuresBetween(before, now picture) {
	if c.options.Failures != nil {
		return
	}
	for _, a := range now.Actors {
		for _, b := range before.Actors {
			if a.ID == b.ID && a.FailedAt.After(b.FailedAt) {
				c.failed(history.Failure{Role: string(a.Role), Actor: a.ID, Reason: a.Failure, Decision: decision(string(a.Role)), Account: "tree"})
			}
		}
	}
}

func (c *conductor) failed(f history.Failure) {
	c.history.Add(f)
	c.book.reachedFailure(f)
}

// listen reads the failures from the proxy's log, until ctx ends.
func (c *conductor) listen(ctx context.Context) {
	for {
		select {
		case f := <-c.options.Failures:
			c.failed(f)
		case <-ctx.Done():
			return
		}
	}
}

// FailureIn reads a line of the proxy's log; ok is false where it reports no
// actor that failed.
//
//	time=… level=ERROR msg="actor failed" role=consumer stream=… reason="…"
func FailureIn(line string) (f history.Failure, ok bool) {
	_, fields, ok := strings.Cut(line, `msg="actor failed" `)
	if !ok {
		return f, false
	}
	f.Account = "log"
	f.Role, f.Actor, f.Reason = field(fields, "role="), field(fields, "stream="), field(fields, "reason=")
	f.Decision = decision(f.Role)
	return f, f.Role != ""
}

// field returns the value of a field of a log line, without its quotes.
func field(fields, name string) string {
	_, value, ok := strings.Cut(fields, name)
	if !ok {
		return ""
	}
	if rest, quoted := strings.CutPrefix(value, `"`); quoted {
		value, _, _ = strings.Cut(rest, `"`)
		return value
	}
	value, _, _ = strings.Cut(value, " ")
	return strings.TrimSpace(value)
}

// decision is what the supervisor of a role decides, see actors/supervision.go.
func decision(role string) string {
	switch actors.Role(role) {
	case actors.RoleEvents, actors.RoleBroker, actors.RoleConnections, actors.RoleFeeds:
		return "restarted"
	}
	return "stopped"
}
