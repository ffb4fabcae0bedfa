package random

import (
	"context"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// restarted is the least time between two failures of an actor that its
// supervisor restarts: 3 restarts in 10 s are allowed, on purpose.
const restarted = 5 * time.Second

// noClockStep is why no run sets a clock: nothing could set only the proxy's.
const noClockStep = "a statically linked program asks the kernel for the time, which has one wall clock for the whole machine"

// kinds returns all ways to break something here. What cannot be tried is
// entered as skipped.
func (c *conductor) kinds(now picture) []Harm {
	list := append([]Harm(nil), c.options.Harms...)
	list = append(list,
		Harm{Name: "end stream", Does: "an operator ends one stream", Scope: OneStream, Codes: []actors.Code{actors.ServerShutdown}, Do: c.endStream},
		Harm{Name: "hostile binding", Does: "a client asks for a pattern that would keep the broker busy for seconds", Every: time.Second, Scope: NoStream, Watch: c.refusedBinding, Do: c.bindHostile},
		Harm{Name: "client leaves", Does: "a client closes its connection and comes again", Scope: OneStream, Codes: []actors.Code{actors.ClientGone}, Do: c.clientLeaves})
	switch {
	case c.options.Routed:
		c.skip("frozen call", "a stream that is routed has no call of its own")
	case c.options.Swallow != nil:
		list = append(list, c.frozenCall())
	default:
		c.skip("frozen call", "no call on its way to the broker can be held up here")
	}
	c.skip("clock step", noClockStep)
	if !now.Chaos {
		c.skip("crash of actors", "the proxy was started without --chaos")
		c.book.doubt("fault injection is not enabled in the proxy: no actor was made to fail")
		return list
	}
	broker := c.crashOf(actors.RoleBroker, actors.BrokerLost, actors.BrokerUnavailable, actors.InternalError)
	broker.Late = c.options.Relinked
	list = append(list, broker,
		c.crashOf(actors.RoleConnections, actors.InternalError),
		c.crashIn(actors.RoleConnection, OneStream))
	if !c.options.Shared && !c.options.Routed {
		return append(list, c.crashIn(actors.RoleConsumer, OneStream), c.crashIn(actors.RoleWorker, OneStream))
	}
	return append(list, c.crashOf(actors.RoleFeeds, actors.InternalError),
		c.crashIn(actors.RoleConsumer, OneGroup), c.crashIn(actors.RoleWorker, OneGroup), c.crashIn(actors.RoleFeed, OneGroup))
}

// Known returns the harms that every run knows, each once; they can be read, and not be done.
func Known() (known []Harm) {
	for _, shared := range []bool{false, true} {
		c := &conductor{options: Options{Shared: shared, Swallow: func(string) {}}, book: newBook(Options{Log: io.Discard})}
		for _, kind := range c.kinds(picture{Chaos: true}) {
			if !slices.ContainsFunc(known, func(h Harm) bool { return h.Name == kind.Name }) {
				known = append(known, kind)
			}
		}
	}
	return known
}

// Victim is the stream that a harm is done to.
type Victim struct {
	Client int
	ID     string // the proxy's
}

// crashIn makes an actor behind one stream fail.
func (c *conductor) crashIn(role actors.Role, scope Scope) Harm {
	return Harm{
		Name: "crash " + string(role), Does: "one of the actors " + string(role) + " panics", Scope: scope, Codes: []actors.Code{actors.InternalError},
		Do: func(ctx context.Context, v Victim) error { return c.operator.crash(ctx, role, v.ID) },
	}
}

// crashOf makes an actor fail that is there once. Its sign is that its supervisor
// has counted one more restart.
func (c *conductor) crashOf(role actors.Role, codes ...actors.Code) Harm {
	return Harm{
		Name: "crash " + string(role), Does: "the actor " + string(role) + ", of which there is one, panics", Every: restarted, Scope: Everyone, Codes: codes,
		Watch: func(context.Context) (faults.Sign, error) {
			before := restartsOf(c.latest(), role)
			return func(context.Context) (string, error) {
				if now := restartsOf(c.latest(), role); now > before {
					return fmt.Sprintf("the tree: %d restarts of %s, %d before", now, role, before), nil
				}
				return "", nil
			}, nil
		},
		Do: func(ctx context.Context, _ Victim) error { return c.operator.crash(ctx, role, "") },
	}
}

func restartsOf(now picture, role actors.Role) (count int64) {
	for _, a := range now.Actors {
		if a.Role == role {
			count += a.Restarts
		}
	}
	return count
}

func (c *conductor) endStream(ctx context.Context, v Victim) error { return c.operator.end(ctx, v.ID) }

func (c *conductor) clientLeaves(_ context.Context, v Victim) error {
	select {
	case c.readers[v.Client].leave <- struct{}{}:
	default: // it is on its way already
	}
	return nil
}

// linksLost looks for a link that the proxy counts as lost from now on.
func (c *conductor) linksLost() faults.Sign {
	before := c.latest().Stats.LinksLost
	return func(context.Context) (string, error) {
		if n := c.latest().Stats.LinksLost - before; n > 0 {
			return fmt.Sprintf("the proxy counts %d links lost", n), nil
		}
		return "", nil
	}
}

// victim finds the open stream of a client in the live tree.
func (c *conductor) victim(client int) (Victim, error) {
	now := c.latest()
	if !c.local {
		if ours := c.ours(now); len(ours) > 0 { // which client it belongs to is not known
			return Victim{Client: client, ID: ours[client%len(ours)].ID}, nil
		}
		return Victim{}, fmt.Errorf("no stream of this run is open")
	}
	address := c.readers[client].address()
	for _, s := range now.Streams {
		if s.Address == address {
			return Victim{Client: client, ID: s.ID}, nil
		}
	}
	return Victim{}, fmt.Errorf("client %d has no open stream", client)
}

// ours are the streams that this run has opened: bound to its exchange.
func (c *conductor) ours(now picture) (list []actors.StreamState) {
	for _, s := range now.Streams {
		if len(s.Bindings) > 0 && s.Bindings[0].Exchange == c.options.Exchange {
			list = append(list, s)
		}
	}
	return list
}
