package rabbit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Cluster is some private nodes that have joined. Its nodes are addressed by
// their index, from 0 on, and can be stopped, killed, frozen, thawed and started
// one by one, see Node. Its methods may be called concurrently, but those that
// harm or heal only by one goroutine at a time.
type Cluster struct {
	nodes []*Node
	epmd  *epmd
	ports ports // of all nodes

	mu   sync.Mutex
	harm map[int]harmed // what Heal has to undo
}

// ClusterOptions say how a cluster is; the zero value of a field stands for the
// default.
type ClusterOptions struct {
	Nodes    int           // 3
	Settings string        // lines of every node's rabbitmq.conf, such as cluster_partition_handling = pause_minority
	Tick     time.Duration // net_ticktime, after which a silent node is given up; RabbitMQ's 60 s
}

func (o ClusterOptions) withDefaults() ClusterOptions {
	if o.Nodes == 0 {
		o.Nodes = 3
	}
	if o.Tick == 0 {
		o.Tick = time.Minute
	}
	return o
}

// StartCluster starts nodes whose files are all below dir, which must exist, and
// lets them join. It returns when clients can connect to each. The caller owes a
// Close; when the process ends without it, the nodes end too.
func StartCluster(ctx context.Context, dir string, o ClusterOptions) (*Cluster, error) {
	root := os.Getenv("DEBIAN_TEST_ROOT")
	if err := installed(root + Home); err != nil {
		return nil, err
	}
	var err error
	for try := range 3 { // another process may have taken a port that was free a moment ago
		var c *Cluster
		if c, err = prepareCluster(filepath.Join(dir, fmt.Sprint("cluster", try)), root, o.withDefaults()); err != nil {
			return nil, err
		}
		if err = c.start(ctx); err == nil {
			return c, nil
		}
		c.Close()
		if ctx.Err() != nil {
			break
		}
	}
	return nil, err
}

func prepareCluster(dir, root string, o ClusterOptions) (*Cluster, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	ports, err := reservePorts(3*o.Nodes + 1)
	if err != nil {
		return nil, err
	}
	p := ports.numbers
	c := &Cluster{ports: ports, epmd: &epmd{root: root, port: p[0], log: filepath.Join(dir, "epmd.log")}, harm: map[int]harmed{}}
	member := membership{cookie: rand.Text(), tick: o.Tick, settings: strings.TrimRight(o.Settings, "\n") + "\n"}
	for k := range o.Nodes {
		n := &Node{dir: filepath.Join(dir, fmt.Sprint(k)), root: root, port: p[1+3*k], dist: p[2+3*k], plugin: p[3+3*k], epmd: c.epmd, member: member}
		if err := n.prepare(); err != nil {
			ports.release()
			return nil, err
		}
		c.nodes = append(c.nodes, n)
	}
	return c, nil
}

// start boots all nodes at once, and lets them join one after the other.
func (c *Cluster) start(ctx context.Context) error {
	failures := make([]error, len(c.nodes))
	var booting sync.WaitGroup
	for k, n := range c.nodes {
		booting.Go(func() { failures[k] = n.Start(ctx) })
	}
	booting.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	for k := 1; k < len(c.nodes); k++ {
		if err := c.nodes[k].join(ctx, c.nodes[0]); err != nil {
			return err
		}
	}
	return nil
}

// Nodes returns the nodes, in order.
func (c *Cluster) Nodes() []*Node { return c.nodes }

// Node returns the node with an index.
func (c *Cluster) Node(k int) *Node { return c.nodes[k] }

// Addresses returns host:port of each node, in order.
func (c *Cluster) Addresses() []string {
	var list []string
	for _, n := range c.nodes {
		list = append(list, n.Address())
	}
	return list
}

// UserURL is how a user reaches a virtual host on any of the nodes: the host is
// the list of their addresses, as PULSE_URL has it.
func (c *Cluster) UserURL(user, password, vhost string) string {
	return fmt.Sprintf("amqp://%s@%s/%s", url.UserPassword(user, password), strings.Join(c.Addresses(), ","), url.PathEscape(vhost))
}

// URL is how the administrator reaches any of the nodes.
func (c *Cluster) URL() string { return c.UserURL("guest", "guest", "/") }

// Close ends all nodes and what was started for them, at once. Their files stay.
func (c *Cluster) Close() error {
	for _, n := range c.nodes {
		n.end()
	}
	c.epmd.close()
	c.ports.release()
	return nil
}

// Processes are the ids of all that runs for the cluster.
func (c *Cluster) Processes() []int {
	var ids []int
	for _, n := range c.nodes {
		n.mu.Lock()
		if n.running() {
			ids = append(ids, n.broker.ID)
		}
		n.mu.Unlock()
	}
	if p := c.epmd.running(); p != nil {
		ids = append(ids, p.ID)
	}
	return ids
}

// other returns a node that answers, and is not the one with the index k.
func (c *Cluster) other(ctx context.Context, k int) (*Node, error) {
	for i, n := range c.nodes {
		if i != k && n.answers(ctx) {
			return n, nil
		}
	}
	return nil, fmt.Errorf("rabbit: no node but %d answers", k)
}
