package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"

	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/rabbit"
)

// ground is what scripts are played on: the proxy's binary and a RabbitMQ node of their own.
type ground struct {
	folder string
	binary string
	node   *rabbit.Node
}

func newGround(ctx context.Context) (g *ground, err error) {
	g = &ground{}
	if g.folder, err = os.MkdirTemp("", "events-chaos-"); err != nil {
		return nil, err
	}
	if g.binary, err = chaos.Build(ctx, g.folder); err == nil {
		g.node, err = rabbit.StartNode(ctx, g.folder)
	}
	if err != nil {
		g.close()
		return nil, explained(err)
	}
	return g, nil
}

// explained describes what to do if programs are missing.
func explained(err error) error {
	if errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("RabbitMQ and Go must be installed here (Debian: apt-get install rabbitmq-server), "+
			"or name a proxy and a broker that run: --proxy, --operator and --broker: %w", err)
	}
	return err
}

// close ends the node and removes the files.
func (g *ground) close() {
	if g.node != nil {
		g.node.Close()
	}
	os.RemoveAll(g.folder)
}
