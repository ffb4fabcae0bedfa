package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos"
)

// ground is what scripts are played on: the proxy's binary and a RabbitMQ node
// of their own.
type ground struct {
	folder string
	binary string
	node   *rabbit.Node
}

// newGround finds or builds the binary and starts the node. The caller owes a close.
func newGround(ctx context.Context, program string) (g *ground, err error) {
	g = &ground{}
	if g.folder, err = os.MkdirTemp("", "events-chaos-"); err != nil {
		return nil, err
	}
	if g.binary, err = chaos.Program(ctx, g.folder, program); err == nil {
		g.node, err = rabbit.StartNode(ctx, g.folder)
	}
	if err != nil {
		g.close()
		return nil, explained(err)
	}
	return g, nil
}

// describe adds what is known of the ground to the environment of a report.
func (g *ground) describe(ctx context.Context, facts map[string]string) {
	ofProgram(ctx, facts, g.binary)
	version, err := g.node.Version(ctx)
	if err != nil {
		version = "unknown: " + err.Error()
	}
	facts["broker"] = "RabbitMQ " + version + ", a private node"
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
	if g.node != nil {
		g.node.Close()
	}
	os.RemoveAll(g.folder)
}
