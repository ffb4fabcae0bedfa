package rabbit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
)

// Partitions of a cluster: a node that is cut off from the others, and comes back.

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

// Pauses reports whether a node of the cluster pauses when it is alone: with
// cluster_partition_handling = pause_minority, but not with Khepri (RabbitMQ 4), which does not know it.
func (c *Cluster) Pauses(ctx context.Context) (bool, error) { return c.nodes[0].pauses(ctx) }

func (n *Node) pauses(ctx context.Context) (does bool, err error) {
	err = n.evaluate(ctx, pauses, &does)
	return does, err
}

const pauses = `application:get_env(rabbit, cluster_partition_handling) =:= {ok, pause_minority} andalso (catch rabbit_khepri:is_enabled()) =/= true`

// awaitPause waits until a node that is alone has paused, where it does: a while after it is alone,
// and also where it no longer is by then. It is waited for from both sides: RabbitMQ does not run, by
// its own account, and clients are refused.
func (c *Cluster) awaitPause(ctx context.Context, k int) error {
	lone := c.nodes[k]
	if does, err := lone.pauses(ctx); err != nil || !does {
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
