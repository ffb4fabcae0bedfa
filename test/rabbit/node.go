// Package rabbit runs a private RabbitMQ node from Debian's package, for tests
// and chaos scripts that need the real thing: nothing of it is shared with
// another node of the machine, and it dies with the process that started it.
//
//	node, err := rabbit.StartNode(ctx, dir)   // anywhere
//	node := rabbit.Run(t)                     // in tests: one node per package
//
// With PULSE_TEST_URL set, that broker is used instead. Then whatever needs the
// broker's process, faults and evidence alike, fails with ErrExternal.
package rabbit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"sync"
	"time"
)

// Home is where Debian's package rabbitmq-server keeps its scripts.
const Home = "/usr/lib/rabbitmq/bin"

// ErrExternal says that the broker of PULSE_TEST_URL is not ours to harm or to look into.
var ErrExternal = errors.New("rabbit: not possible with the broker of PULSE_TEST_URL")

// ErrNotRunning says that the node was stopped or killed.
var ErrNotRunning = errors.New("rabbit: the node is not running")

// startTimeout bounds a start; five seconds are usual on a machine of two cores.
const startTimeout = 60 * time.Second

// Node is a broker. Its methods may be called concurrently, but Start, Stop and
// Kill only by one goroutine at a time.
type Node struct {
	dir      string
	port     int // of AMQP
	dist     int // of Erlang's distribution
	epmdPort int
	external string // PULSE_TEST_URL

	mu     sync.Mutex
	epmd   *process
	broker *process
	shell  *shell
}

// StartNode starts a node whose files are all below dir, which must exist. It
// returns when clients can connect. The caller owes a Close.
func StartNode(ctx context.Context, dir string) (*Node, error) {
	if external := os.Getenv("PULSE_TEST_URL"); external != "" {
		return &Node{external: external}, nil
	}
	err := installed(Home)
	if err != nil {
		return nil, err
	}
	for range 3 { // another process may have taken a port that was free a moment ago
		var n *Node
		if n, err = startNode(ctx, dir); err == nil || ctx.Err() != nil {
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

func startNode(ctx context.Context, dir string) (*Node, error) {
	ports, err := freePorts(3)
	if err != nil {
		return nil, err
	}
	n := &Node{dir: dir, port: ports[0], dist: ports[1], epmdPort: ports[2]}
	if err := n.prepare(); err != nil {
		return nil, err
	}
	if err := n.Start(ctx); err != nil {
		return nil, errors.Join(err, n.Close())
	}
	return n, nil
}

// freePorts gives ports of the loopback that were free a moment ago.
func freePorts(count int) ([]int, error) {
	var ports []int
	for range count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// URL is how the administrator (guest) reaches the broker.
func (n *Node) URL() string {
	if n.external != "" {
		return n.external
	}
	return n.UserURL("guest", "guest", "/")
}

// UserURL is how a user reaches a virtual host.
func (n *Node) UserURL(user, password, vhost string) string {
	u := url.URL{Scheme: "amqp", User: url.UserPassword(user, password), Host: n.Address(), Path: "/" + vhost, RawPath: "/" + url.PathEscape(vhost)}
	return u.String()
}

// Address is the broker's host and port.
func (n *Node) Address() string {
	if n.external != "" {
		u, err := url.Parse(n.external)
		if err != nil {
			return ""
		}
		return u.Host
	}
	return fmt.Sprintf("127.0.0.1:%d", n.port)
}

// External tells whether this is the broker of PULSE_TEST_URL.
func (n *Node) External() bool { return n.external != "" }

// Log is the file with the broker's log.
func (n *Node) Log() string { return n.dir + "/log/node.log" }

// Close ends the node and everything started for it, at once. Its files stay.
func (n *Node) Close() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range []*process{n.broker, n.epmd} {
		if p != nil {
			p.kill()
		}
	}
	n.broker, n.epmd, n.shell = nil, nil, nil
	return nil
}
