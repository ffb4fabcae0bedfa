package random

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// conductor runs one run.
type conductor struct {
	options  Options
	report   *Report
	operator *operator
	ledger   *ledger
	readers  []*reader
	draw     *rand.Rand // the harming goroutine's alone
}

// Run breaks the proxy at random and reports. Its error says that the run
// itself could not be done; what did not hold stands in the Report.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	if err := o.validate(); err != nil {
		return nil, err
	}
	c := &conductor{
		options: o, report: newReport(o), operator: newOperator(o.Operator), ledger: newLedger(), draw: newDraw(o.Seed),
	}
	if err := c.beforehand(ctx); err != nil {
		return nil, fmt.Errorf("random: %w", err)
	}
	c.report.say("seed %d: %d clients, %s of harm", o.Seed, o.Clients, o.For)
	c.play(ctx)
	c.report.Published = c.ledger.count()
	if ctx.Err() != nil {
		return c.report, fmt.Errorf("called off: %w", context.Cause(ctx))
	}
	c.afterwards(ctx)
	return c.report, ctx.Err()
}

// beforehand takes the vitals of a proxy in health: one that is without a link
// has fewer goroutines than it may have afterwards.
func (c *conductor) beforehand(ctx context.Context) error {
	var now actors.Snapshot
	var err error
	linked := c.until(ctx, func() bool {
		now, err = c.operator.tree(ctx)
		return err != nil || len(now.Links) > 0
	})
	if err != nil {
		return fmt.Errorf("the operator's listener: %w", err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if !linked {
		return fmt.Errorf("the proxy has had no link to its broker for %s: nothing to break", c.options.Patience)
	}
	before, err := c.operator.vitals(ctx)
	if err != nil {
		return fmt.Errorf("the operator's listener: %w", err)
	}
	c.report.GoroutinesBefore, c.report.MemoryBefore = before.goroutines, before.memory
	return nil
}

// play is the time with clients: harm, then healing.
func (c *conductor) play(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	var background sync.WaitGroup
	defer background.Wait()
	defer cancel()
	for range c.options.Clients {
		r := newReader(c.options, c.report, c.ledger)
		c.readers = append(c.readers, r)
		background.Go(func() { r.run(ctx) })
	}
	background.Go(func() { c.publish(ctx) })
	background.Go(func() { c.watchMemory(ctx) })
	c.healed(ctx, "before any harm")
	c.harm(ctx)
	c.healed(ctx, "after the harm")
}

// publishEvery is the time between two messages.
const publishEvery = 5 * time.Millisecond

func (c *conductor) publish(ctx context.Context) {
	next := time.NewTicker(publishEvery)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		number := c.ledger.next()
		if c.options.Publish(ctx, number) == nil {
			c.ledger.published(number)
		}
	}
}

// healed waits until every client has got a message again.
func (c *conductor) healed(ctx context.Context, when string) {
	for _, r := range c.readers {
		r.alive.Store(false)
	}
	dark := 0
	ok := c.until(ctx, func() bool {
		dark = 0
		for _, r := range c.readers {
			if !r.alive.Load() {
				dark++
			}
		}
		return dark == 0
	})
	switch {
	case ctx.Err() != nil: // called off: that says nothing
		return
	case !ok:
		c.report.violate("%s: %d of %d clients got no message within %s", when, dark, len(c.readers), c.options.Patience)
		return
	}
	c.report.say("%s: every client gets messages", when)
}

// afterwards looks at what the clients have left behind.
func (c *conductor) afterwards(ctx context.Context) {
	var now actors.Snapshot
	clean := c.until(ctx, func() bool {
		var err error
		now, err = c.operator.tree(ctx)
		return err == nil && len(now.Streams) == 0 && now.Stats.Workers == 0 && now.Stats.Leases == 0 && onlyPermanent(now.Actors)
	})
	if !clean {
		c.report.violate("the tree is not clean: %d streams, %d channels, %d actors", len(now.Streams), now.Stats.Workers, len(now.Actors))
	}
	var end vitals
	flat := c.until(ctx, func() bool {
		v, err := c.operator.vitals(ctx)
		if err == nil {
			end = v
		}
		return err == nil && v.goroutines <= c.report.GoroutinesBefore
	})
	c.report.GoroutinesAfter, c.report.MemoryAfter = end.goroutines, end.memory
	if !flat {
		c.report.violate("%g goroutines, %g before", end.goroutines, c.report.GoroutinesBefore)
	}
}

// onlyPermanent tells whether no stream's actor is left.
func onlyPermanent(list []actors.Actor) bool {
	for _, a := range list {
		switch a.Role {
		case actors.RoleConnection, actors.RoleConsumer, actors.RoleFeed:
			return false
		}
	}
	return true
}

// watchMemory notes the most that the process had resident, and of each minute.
func (c *conductor) watchMemory(ctx context.Context) {
	next := time.NewTicker(500 * time.Millisecond)
	defer next.Stop()
	told, start := false, time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		v, err := c.operator.vitals(ctx)
		if err != nil {
			continue
		}
		c.report.remember(int(time.Since(start)/time.Minute), v.memory)
		if most := c.options.Memory; most > 0 && v.memory > float64(most) && !told {
			told = true
			c.report.violate("the process has %.0f bytes resident, at most %d are allowed", v.memory, most)
		}
	}
}

// until asks again and again, for as long as healing may take.
func (c *conductor) until(ctx context.Context, is func() bool) bool {
	deadline := time.Now().Add(c.options.Patience)
	for !is() {
		if ctx.Err() != nil || time.Now().After(deadline) {
			return false
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	return true
}
