package rabbit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// What happens to the nodes of a cluster, beside what happens to one node alone.
// Each of these has happened when it returns without an error.

// harmed is what was done to a node, and not undone.
type harmed struct {
	isolated, drained, forgotten bool
}

func (c *Cluster) note(k int, change func(*harmed)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.harm[k]
	change(&h)
	c.harm[k] = h
}

func (c *Cluster) noted(k int) harmed {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.harm[k]
}

// answerPatience bounds the question whether a node answers at all.
const answerPatience = 2 * time.Second

// answers reports whether the node runs and is not frozen.
func (n *Node) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	return n.evaluate(ctx, `true`, nil) == nil
}

// Drain puts a node into maintenance mode, as before an upgrade: it takes no
// clients, and ends the connections it has (320). It returns when they have ended.
func (c *Cluster) Drain(ctx context.Context, k int) error {
	c.note(k, func(h *harmed) { h.drained = true })
	if err := c.nodes[k].command(ctx, `begin rabbit_maintenance:drain(), true end`); err != nil {
		return err
	}
	return c.await(ctx, fmt.Sprintf("node %d has no client", k), func() (bool, error) {
		s, err := c.nodes[k].Local(ctx)
		return s.Connections == 0, err
	})
}

// Revive ends a node's maintenance mode.
func (c *Cluster) Revive(ctx context.Context, k int) error {
	err := c.nodes[k].command(ctx, `begin rabbit_maintenance:revive(), true end`)
	if err == nil {
		c.note(k, func(h *harmed) { h.drained = false })
	}
	return err
}

// Forget stops a node, if it runs, and makes the others forget that there was one.
func (c *Cluster) Forget(ctx context.Context, k int) error {
	c.note(k, func(h *harmed) { h.forgotten = true })
	if err := c.nodes[k].Stop(ctx); err != nil && !errors.Is(err, ErrNotRunning) {
		return err
	}
	n, err := c.other(ctx, k)
	if err != nil {
		return err
	}
	return n.command(ctx, `begin N = binary_to_atom(%s, utf8), `+
		`ok = case code:ensure_loaded(rabbit_db_cluster) of {module, M} -> M:forget_member(N, false); _ -> rabbit_mnesia:forget_cluster_node(N, false) end, true end`,
		c.nodes[k].name())
}

// Join brings a node back that was forgotten, as a new one: with nothing of
// what it had.
func (c *Cluster) Join(ctx context.Context, k int) error {
	n, err := c.other(ctx, k)
	if err != nil {
		return err
	}
	lost := c.nodes[k]
	lost.end()
	if err := os.RemoveAll(lost.dir + "/mnesia"); err != nil {
		return err
	}
	if err := lost.prepare(); err != nil {
		return err
	}
	if err := lost.Start(ctx); err != nil {
		return err
	}
	if err := lost.join(ctx, n); err != nil {
		return err
	}
	c.note(k, func(h *harmed) { *h = harmed{} })
	return nil
}

// Heal undoes all that was done to the nodes: afterwards each of them runs, is a
// member, and serves clients. What they kept stays.
func (c *Cluster) Heal(ctx context.Context) error {
	for _, n := range c.nodes {
		if err := n.Thaw(); err != nil && !errors.Is(err, ErrNotRunning) {
			return err
		}
	}
	for k, n := range c.nodes {
		if err := c.heal(ctx, k, n); err != nil {
			return fmt.Errorf("rabbit: heal node %d: %w", k, err)
		}
	}
	for k := range c.nodes { // together: one that has paused waits for most of the others
		if err := c.awaitServing(ctx, k); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) heal(ctx context.Context, k int, n *Node) error {
	h := c.noted(k)
	if h.forgotten {
		return c.Join(ctx, k)
	}
	if h.isolated { // one that does not run needs it for its start
		if err := c.acceptAgain(ctx, k); err != nil {
			return err
		}
	}
	if err := n.Start(ctx); err != nil {
		return err
	}
	if h.isolated {
		if err := c.relink(ctx, k); err != nil {
			return err
		}
	}
	if h.drained {
		if err := c.Revive(ctx, k); err != nil {
			return err
		}
	}
	apart, err := n.partitioned(ctx)
	if err == nil && apart {
		err = n.Restart(ctx)
	}
	return err
}

// join makes a node that has just started a member of another one's cluster.
func (n *Node) join(ctx context.Context, to *Node) error {
	ctx, cancel := context.WithTimeoutCause(ctx, startTimeout, fmt.Errorf("it took longer than %s", startTimeout))
	defer cancel()
	err := n.command(ctx, `begin N = binary_to_atom(%s, utf8), pong = net_adm:ping(N), rabbit:stop(), `+
		`ok = case code:ensure_loaded(rabbit_db_cluster) of {module, M} -> M:join(N, disc); _ -> rabbit_mnesia:join_cluster(N, disc) end, `+
		`ok = rabbit:start(), true end`, to.name())
	if err != nil {
		return fmt.Errorf("rabbit: join: %w", err)
	}
	return nil
}

// Peers are the names of the nodes that this one has a link to, sorted.
func (n *Node) Peers(ctx context.Context) ([]string, error) {
	var names []string
	err := n.evaluate(ctx, `[atom_to_binary(N, utf8) || N <- lists:sort(nodes())]`, &names)
	return names, err
}

func (c *Cluster) others(k int) []*Node {
	if k < 0 {
		return slices.Clone(c.nodes)
	}
	return slices.Concat(c.nodes[:k], c.nodes[k+1:])
}

// running returns the nodes that run, but for the one with the index k; all for -1.
func (c *Cluster) running(k int) []*Node {
	return slices.DeleteFunc(c.others(k), func(n *Node) bool {
		n.mu.Lock()
		defer n.mu.Unlock()
		return !n.running()
	})
}

// await waits until done reports true.
func (c *Cluster) await(ctx context.Context, what string, done func() (bool, error)) error {
	ticks := time.NewTicker(pollEvery)
	defer ticks.Stop()
	for {
		ok, err := done()
		if ok || err != nil {
			return err
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return fmt.Errorf("rabbit: waited until %s: %w", what, context.Cause(ctx))
		}
	}
}
