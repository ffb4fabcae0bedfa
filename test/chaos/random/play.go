package random

import (
	"cmp"
	"context"
	"time"
)

// pacing holds harms to their distances where the run is behind its schedule: what was
// drawn with room between would come at once. Times are those of asking.
type pacing struct {
	last  map[string]time.Time
	quiet time.Time // until then nothing befalls everyone
}

// mostAtOnce is how many harms that befell everyone may be under way. A slow machine takes
// long to serve all clients again; where the next harm does not wait for that, some are
// never served, and the patience with healing measures the machine.
const mostAtOnce = 2

// allows reports whether a kind may be asked for now, and notes it. under is how many that
// befell everyone are under way.
func (p *pacing) allows(kind Harm, under int, now time.Time) bool {
	switch last, asked := p.last[kind.Name]; {
	case asked && now.Sub(last) < kind.Every:
		return false
	case kind.aimed():
	case now.Before(p.quiet), kind.Scope == Everyone && under >= mostAtOnce:
		return false
	}
	p.last[kind.Name] = now
	if kind.Quiet > 0 {
		p.quiet = now.Add(kind.Quiet)
	}
	return true
}

// play asks for each harm of the schedule at its time, or soon after: what comes too close
// to another by that is left out.
func (c *conductor) play(ctx context.Context, kinds []Harm, schedule []Step) {
	start, pacing := time.Now(), pacing{last: map[string]time.Time{}}
	for _, step := range schedule {
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Until(start.Add(step.At))):
		}
		kind, err := named(kinds, step.Name)
		if err != nil {
			c.skip(step.Name, err.Error())
			continue
		}
		if c.options.Schedule != nil || pacing.allows(kind, c.harms.befallingAll(), time.Now()) {
			c.ask(ctx, kind, step.Client%len(c.readers))
		}
	}
	c.rest(ctx, time.Until(start.Add(c.options.For)))
}

// again is how often a kind that was never seen is asked for once more.
const again = 3

// insist asks for the kinds that have not been seen, one after the other, each
// when the harm before it is over. What is still not seen makes the run unknown. A run that has
// failed proves nothing by more harm.
func (c *conductor) insist(ctx context.Context, kinds []Harm) {
	for _, kind := range kinds {
		if c.book.violations() > 0 {
			return
		}
		for i := 0; i < again && !c.harms.hasSeen(kind.Name) && ctx.Err() == nil; i++ {
			c.settled(ctx)
			asked := time.Now()
			c.ask(ctx, kind, i)
			c.settled(ctx)
			if kind.Quiet > 0 {
				c.rest(ctx, time.Until(asked.Add(kind.Quiet)))
			}
		}
		if ctx.Err() == nil && !c.harms.hasSeen(kind.Name) {
			count := c.harms.of(kind.Name)
			c.book.doubt("%s: asked %d times and never seen; the last: %s", kind.Name, count.Asked, cmp.Or(count.Undone, "no reason"))
		}
	}
}

// rest lets time pass in which nothing is asked for.
func (c *conductor) rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
