// Package rabbit runs a private RabbitMQ node from Debian's package, for tests
// and chaos scripts that need the real thing: nothing of it is shared with
// another node of the machine, and it dies with the process that started it.
//
//	node, err := rabbit.StartNode(ctx, dir)   // anywhere
//	node := rabbit.Run(t)                     // in tests: one node per package
//	node := rabbit.Broker(t)                  // the same, or the broker of PULSE_TEST_URL
//	cluster := rabbit.RunCluster(t, rabbit.ClusterOptions{Nodes: 3})
//
// Another release than the machine's own is run from a folder that holds it,
// such as test/brokers.sh makes: DEBIAN_TEST_ROOT names that folder.
package rabbit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/child"
)

// Home is where Debian's package rabbitmq-server keeps its scripts.
const Home = "/usr/lib/rabbitmq/bin"

// ErrNotRunning means that the node was stopped or killed.
var ErrNotRunning = errors.New("rabbit: the node is not running")

// startTimeout bounds a start; five seconds are usual on a machine of two cores.
const startTimeout = 2 * time.Minute

// Node is a broker. Its methods may be called concurrently, but Start, Stop and
// Kill only by one goroutine at a time.
type Node struct {
	dir        string
	root       string // of the file system that has the broker's programs; "": this one
	port       int    // of AMQP
	dist       int    // of Erlang's distribution
	epmd       *epmd
	member     membership
	ports      ports       // all of the node's; empty: its cluster's
	plugin     int         // the port for the management plugin
	managed    int         // the same where it has the plugin, or 0
	external   *url.URL    // the address of a broker that others run, or nil
	management *Management // its plugin, or nil

	mu     sync.Mutex
	broker *child.Process
	shell  *shell
}

// StartNode starts a node whose files are all below dir, which must exist. It
// returns when clients can connect. The caller owes a Close.
func StartNode(ctx context.Context, dir string) (*Node, error) {
	return startNode(ctx, dir, false)
}

// StartManagedNode is StartNode with the management plugin, see ManagementURL;
// it takes two seconds more.
func StartManagedNode(ctx context.Context, dir string) (*Node, error) {
	return startNode(ctx, dir, true)
}

func startNode(ctx context.Context, dir string, managed bool) (*Node, error) {
	root := os.Getenv("DEBIAN_TEST_ROOT")
	err := installed(root + Home)
	if err != nil {
		return nil, err
	}
	for range 3 { // another process may have taken a port that was free a moment ago
		var n *Node
		if n, err = tryNode(ctx, dir, root, managed); err == nil || ctx.Err() != nil {
			return n, err
		}
	}
	return nil, err
}

func installed(home string) error {
	if _, err := os.Stat(home + "/rabbitmq-server"); err != nil {
		return fmt.Errorf("rabbit: RabbitMQ is not installed; the Debian package is rabbitmq-server, test/install.sh installs it: %w", err)
	}
	return nil
}

func tryNode(ctx context.Context, dir, root string, managed bool) (*Node, error) {
	ports, err := reservePorts(4)
	if err != nil {
		return nil, err
	}
	p := ports.numbers
	n := &Node{dir: dir, root: root, ports: ports, port: p[0], dist: p[1], epmd: &epmd{root: root, port: p[2], log: dir + "/log/epmd"}, plugin: p[3]}
	if managed {
		n.managed = n.plugin
	}
	if err := n.prepare(); err != nil {
		ports.release()
		return nil, err
	}
	if err := n.Start(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// Manage returns the management plugin of a node. On a private one that does not have it yet it is
// enabled first, which takes some seconds; from then on the node has it.
func (n *Node) Manage(ctx context.Context) (*Management, error) {
	switch {
	case n.management != nil:
		return n.management, nil
	case n.External():
		return nil, ErrExternal
	case n.managed == 0:
		if err := n.becomeManaged(ctx); err != nil {
			return nil, err
		}
	}
	return NewManagement(n.ManagementURL())
}

func (n *Node) becomeManaged(ctx context.Context) error {
	n.managed = n.plugin
	if err := n.prepare(); err != nil { // for its next start
		return err
	}
	err := n.command(ctx, fmt.Sprintf(`begin ok = application:set_env(rabbitmq_management, tcp_config, [{ip, "127.0.0.1"}, {port, %d}]), `+
		`{ok, _, _} = rabbit_plugins:ensure(binary_to_list(%%s)), true end`, n.managed), n.dir+"/enabled_plugins")
	if err != nil {
		n.managed = 0
		err = errors.Join(err, n.prepare())
	}
	return err
}

// Log is the file with the broker's log.
func (n *Node) Log() string { return n.dir + "/log/node.log" }

// Close ends the node and everything started for it, at once. Its files stay.
func (n *Node) Close() error {
	n.end()
	if !n.member.clustered() {
		n.epmd.close()
	}
	n.ports.release()
	return nil
}

// end ends the node alone.
func (n *Node) end() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.broker != nil {
		n.broker.Kill()
	}
	n.broker, n.shell = nil, nil
}
