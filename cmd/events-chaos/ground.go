package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/script"
)

// ground is what scripts are played on: the proxy's binary and a RabbitMQ node
// of their own, or a cluster.
type ground struct {
	folder  string
	binary  string
	node    *rabbit.Node    // of a cluster the first
	cluster *rabbit.Cluster // nil: the node is by itself
}

// newGround finds or builds the binary and starts the nodes. The caller owes a close.
func newGround(ctx context.Context, program string, nodes int) (g *ground, err error) {
	g = &ground{}
	if g.folder, err = os.MkdirTemp("", "events-chaos-"); err != nil {
		return nil, err
	}
	if g.binary, err = chaos.Program(ctx, g.folder, program); err == nil {
		err = g.startNodes(ctx, nodes)
	}
	if err != nil {
		g.close()
		return nil, explained(err)
	}
	return g, nil
}

// startNodes starts a node by itself, or a cluster in which a node that is alone pauses, as RabbitMQ
// advises.
func (g *ground) startNodes(ctx context.Context, nodes int) (err error) {
	if nodes == 1 {
		g.node, err = rabbit.StartNode(ctx, g.folder)
		return err
	}
	g.cluster, err = rabbit.StartCluster(ctx, g.folder, rabbit.ClusterOptions{Nodes: nodes, Settings: "cluster_partition_handling = pause_minority"})
	if err == nil {
		g.node = g.cluster.Node(0)
	}
	return err
}

// brokers makes the broker of each script.
func (g *ground) brokers() script.Brokers {
	if g.cluster != nil {
		return chaos.Clusters{Cluster: g.cluster}
	}
	return chaos.Brokers{Node: g.node}
}

// describe adds what is known of the ground to the environment of a report.
func (g *ground) describe(ctx context.Context, facts map[string]string) {
	ofProgram(ctx, facts, g.binary)
	version, err := g.node.Version(ctx)
	if err != nil {
		version = "unknown: " + err.Error()
	}
	facts["broker"] = "RabbitMQ " + version + ", a private node"
	if g.cluster != nil {
		facts["broker"] = fmt.Sprintf("RabbitMQ %s, a private cluster of %d nodes, pause_minority", version, len(g.cluster.Nodes()))
	}
}

// logs writes the logs of the nodes into a directory.
func (g *ground) logs(dir string) (err error) {
	nodes := []*rabbit.Node{g.node}
	if g.cluster != nil {
		nodes = g.cluster.Nodes()
	}
	for k, n := range nodes {
		text, failed := os.ReadFile(n.Log())
		err = errors.Join(err, failed, os.WriteFile(filepath.Join(dir, fmt.Sprintf("node-%d.log", k)), text, 0o644))
	}
	return err
}

// logsWith is logs with the log of a proxy.
func (g *ground) logsWith(p *chaos.Process) logs {
	return func(dir string) error {
		return errors.Join(os.WriteFile(filepath.Join(dir, "proxy.log"), []byte(p.Log()), 0o644), g.logs(dir))
	}
}

// explained adds to err what to do where programs are missing.
func explained(err error) error {
	if errors.Is(err, chaos.ErrNoProgram) {
		return fmt.Errorf("%w: %w; or name one that runs: --proxy, --operator and --broker", errUnproved, err)
	}
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: RabbitMQ must be installed here (Debian: apt-get install rabbitmq-server), "+
			"or name a proxy and a broker that run: --proxy, --operator and --broker: %w", errUnproved, err)
	}
	return fmt.Errorf("%w: %w", errUnproved, err)
}

// close ends the node and removes the files.
func (g *ground) close() {
	switch {
	case g.cluster != nil:
		g.cluster.Close()
	case g.node != nil:
		g.node.Close()
	}
	os.RemoveAll(g.folder)
}
