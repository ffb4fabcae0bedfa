package rabbit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strings"
	"syscall"
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

// Isolate cuts the Erlang links between a node and all others: a partition
// with the node on the lone side, which both sides notice at once. Clients reach
// every node as before. None of the nodes may be frozen.
func (c *Cluster) Isolate(ctx context.Context, k int) error {
	lone := c.nodes[k]
	if err := lone.command(ctx, `true`); err != nil {
		return err
	}
	c.note(k, func(h *harmed) { h.isolated = true })
	// First the others refuse the node, then it leaves them all in one go: links that
	// end one by one are a partial partition, upon which RabbitMQ tears the others apart too.
	for _, n := range c.running(k) {
		if err := n.refuse(ctx, lone); err != nil {
			return err
		}
	}
	if err := lone.refuse(ctx, c.others(k)...); err != nil {
		return err
	}
	if err := lone.command(ctx, `begin [erlang:disconnect_node(N) || N <- nodes()], true end`); err != nil {
		return err
	}
	if err := c.await(ctx, fmt.Sprintf("node %d is alone", k), func() (bool, error) { return c.apart(ctx, k) }); err != nil {
		return err
	}
	return c.awaitPause(ctx, k)
}

// pauses is true where a node pauses when it is alone: not with another cluster_partition_handling,
// nor with Khepri, which does not know it.
const pauses = `application:get_env(rabbit, cluster_partition_handling) =:= {ok, pause_minority} andalso (catch rabbit_khepri:is_enabled()) =/= true`

// awaitPause waits until a node that is alone has paused, where it does: a while after it is alone,
// and also where it no longer is by then. It is waited for from both sides: RabbitMQ does not run, by
// its own account, and clients are refused.
func (c *Cluster) awaitPause(ctx context.Context, k int) error {
	lone, does := c.nodes[k], false
	if err := lone.evaluate(ctx, pauses, &does); err != nil || !does {
		return err
	}
	return c.await(ctx, fmt.Sprintf("node %d pauses", k), func() (paused bool, err error) {
		err = lone.evaluate(ctx, `not rabbit:is_running()`, &paused)
		return paused && lone.refuses(ctx), err
	})
}

// refuses reports whether the node refuses the connections of clients.
func (n *Node) refuses(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", n.Address())
	if err == nil {
		conn.Close()
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// Rejoin mends what Isolate has cut. With cluster_partition_handling =
// pause_minority the node goes on by itself, and Rejoin returns when it serves and
// all others have it among them; with ignore, RabbitMQ 3 stays partitioned until the
// node is restarted.
func (c *Cluster) Rejoin(ctx context.Context, k int) error {
	if err := c.relink(ctx, k); err != nil {
		return err
	}
	if err := c.awaitServing(ctx, k); err != nil {
		return err
	}
	return c.await(ctx, fmt.Sprintf("every node has node %d among them", k), func() (all bool, err error) {
		return c.whole(ctx)
	})
}

// whole reports whether every node that runs has the others that run among those of its cluster, or
// does not care: with ignore it never will.
func (c *Cluster) whole(ctx context.Context) (all bool, err error) {
	nodes := c.running(-1)
	for _, n := range nodes {
		err := n.evaluate(ctx, fmt.Sprintf(`application:get_env(rabbit, cluster_partition_handling) =:= {ok, ignore} orelse `+
			`length([N || N <- %s, rabbit:is_running(N)]) >= %d`, members, len(nodes)), &all)
		if err != nil || !all {
			return false, err
		}
	}
	return true, nil
}

// members are the nodes of the cluster that run, by a node's own account, whatever its release.
const members = `case erlang:function_exported(rabbit_nodes, list_running, 0) of true -> rabbit_nodes:list_running(); false -> rabbit_nodes:all_running() end`

// awaitServing waits until RabbitMQ runs on a node. One that has paused starts again by itself; where
// that has failed, it is restarted.
func (c *Cluster) awaitServing(ctx context.Context, k int) error {
	return c.await(ctx, fmt.Sprintf("node %d serves", k), func() (serves bool, err error) {
		var state string
		if err := c.nodes[k].evaluate(ctx, servingState, &state); err != nil {
			return false, err
		}
		if state == "ended" {
			err = c.nodes[k].Restart(ctx)
		}
		return state == "serves", err
	})
}

// servingState is what a node does. The process with this name stops RabbitMQ for a pause, and ends
// when it has started it again, or has failed to.
const servingState = `case {whereis(rabbit_outside_app_process), rabbit_boot_state:get()} of ` +
	`{undefined, ready} -> <<"serves">>; {undefined, stopped} -> <<"ended">>; _ -> <<"waits">> end`

// relink mends the links that Isolate has cut.
func (c *Cluster) relink(ctx context.Context, k int) error {
	lone := c.nodes[k]
	if err := c.acceptAgain(ctx, k); err != nil {
		return err
	}
	if err := lone.accept(ctx, c.others(k)...); err != nil {
		return err
	}
	err := c.await(ctx, fmt.Sprintf("node %d is among the others", k), func() (bool, error) {
		for _, n := range c.running(k) {
			if err := lone.command(ctx, `begin net_adm:ping(binary_to_atom(%s, utf8)), true end`, n.name()); err != nil {
				return false, err
			}
		}
		peers, err := lone.Peers(ctx)
		return len(peers) == len(c.running(k)), err
	})
	if err == nil {
		c.note(k, func(h *harmed) { h.isolated = false })
	}
	return err
}

// acceptAgain makes the others take links from a node that was isolated.
func (c *Cluster) acceptAgain(ctx context.Context, k int) error {
	for _, n := range c.running(k) {
		if err := n.accept(ctx, c.nodes[k]); err != nil {
			return err
		}
	}
	return nil
}

// HandlePartitions sets cluster_partition_handling (pause_minority, ignore, autoheal) on every node
// that runs, until the node restarts.
func (c *Cluster) HandlePartitions(ctx context.Context, mode string) error {
	for _, n := range c.running(-1) {
		err := n.command(ctx, `begin ok = application:set_env(rabbit, cluster_partition_handling, binary_to_atom(%s, utf8)), true end`, mode)
		if err != nil {
			return err
		}
	}
	return nil
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

// partitioned reports whether the node knows of nodes that it runs apart from.
func (n *Node) partitioned(ctx context.Context) (apart bool, err error) {
	err = n.evaluate(ctx, `case catch rabbit_node_monitor:partitions() of [_|_] -> true; _ -> false end`, &apart)
	return apart, err
}

// refuse makes the node take no link from others, nor get one to them. The cookie is the node's
// own: with one that both sides of a cut have, they would link again.
func (n *Node) refuse(ctx context.Context, others ...*Node) error {
	return n.cookie(ctx, `list_to_atom("cut_" ++ atom_to_list(node()))`, others)
}

// accept undoes refuse.
func (n *Node) accept(ctx context.Context, others ...*Node) error {
	return n.cookie(ctx, `erlang:get_cookie()`, others)
}

func (n *Node) cookie(ctx context.Context, expression string, others []*Node) error {
	var names []string
	for _, o := range others {
		names = append(names, literal(o.name()))
	}
	return n.evaluate(ctx, fmt.Sprintf(`begin [erlang:set_cookie(binary_to_atom(N, utf8), %s) || N <- [%s]], true end`,
		expression, strings.Join(names, ", ")), nil)
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

// apart reports whether a node and the others have no link, and get none.
func (c *Cluster) apart(ctx context.Context, k int) (bool, error) {
	others := c.running(k)
	if apart, err := c.nodes[k].reachesNone(ctx, others...); err != nil || !apart {
		return false, err
	}
	for _, n := range others {
		if apart, err := n.reachesNone(ctx, c.nodes[k]); err != nil || !apart {
			return false, err
		}
	}
	return true, nil
}

// reachesNone reports whether the node can link to none of the others.
func (n *Node) reachesNone(ctx context.Context, others ...*Node) (none bool, err error) {
	var names []string
	for _, o := range others {
		names = append(names, literal(o.name()))
	}
	err = n.evaluate(ctx, fmt.Sprintf(`lists:all(fun(N) -> net_adm:ping(binary_to_atom(N, utf8)) =:= pang end, [%s])`,
		strings.Join(names, ", ")), &none)
	return none, err
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
