package random

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// restarted is the least time between two failures of an actor that its
// supervisor restarts: 3 restarts in 10 s are allowed, on purpose.
const restarted = 5 * time.Second

// harms gives all ways to break something. Those of one stream are drawn as
// often as all others together, as they are the ones with most to get wrong.
func (c *conductor) harms() []Harm {
	list := append([]Harm(nil), c.options.Harms...)
	for _, role := range []actors.Role{actors.RoleBroker, actors.RoleConnections, actors.RoleFeeds} {
		list = append(list, Harm{Name: "crash " + string(role), Every: restarted, Do: func(ctx context.Context) error {
			return c.operator.crash(ctx, role, "")
		}})
	}
	for range max(1, len(list)/5) {
		list = append(list, c.streamHarms()...)
	}
	return list
}

func (c *conductor) streamHarms() []Harm {
	list := []Harm{
		{Name: "end stream", Do: func(ctx context.Context) error { return c.withStream(ctx, c.operator.end) }},
		{Name: "client vanishes", Do: func(context.Context) error { c.vanish(); return nil }},
	}
	for _, role := range []actors.Role{actors.RoleConnection, actors.RoleConsumer, actors.RoleWorker, actors.RoleFeed} {
		list = append(list, Harm{Name: "crash " + string(role), Do: func(ctx context.Context) error {
			return c.withStream(ctx, func(ctx context.Context, id string) error { return c.operator.crash(ctx, role, id) })
		}})
	}
	return list
}

// withStream does something to a stream drawn from those that are open.
func (c *conductor) withStream(ctx context.Context, do func(context.Context, string) error) error {
	now, err := c.operator.tree(ctx)
	if err != nil || len(now.Streams) == 0 {
		return err
	}
	return do(ctx, now.Streams[c.draw.IntN(len(now.Streams))].ID)
}

func (c *conductor) vanish() {
	select {
	case c.readers[c.draw.IntN(len(c.readers))].vanish <- struct{}{}:
	default: // it is on its way already
	}
}

// harm does one thing after the other until the time is over.
func (c *conductor) harm(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, c.options.For)
	defer cancel()
	list, last := c.harms(), map[string]time.Time{}
	next := time.NewTicker(c.options.Every)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-next.C:
		}
		harm := list[c.draw.IntN(len(list))]
		if harm.Every > 0 && time.Since(last[harm.Name]) < harm.Every {
			continue
		}
		last[harm.Name] = time.Now()
		if err := harm.Do(ctx); err != nil && ctx.Err() == nil {
			c.report.say("not done: %s: %v", harm.Name, err) // the broker may be what is broken
			continue
		}
		c.report.harmed(harm.Name)
	}
}

func newDraw(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, seed)) }
