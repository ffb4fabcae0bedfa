package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
)

// serve is the proxy in front of a RabbitMQ. The broker need not be there yet.
func (p process) serve(ctx context.Context, args []string) int {
	hangups := make(chan os.Signal, 1) // several at once are one reload
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	load := func() (config.Config, error) { return config.Load(args, p.environ, os.ReadFile) }
	c, status, ok := p.settings("serve", args)
	if !ok {
		return status
	}
	if err := options.Validate(c); err != nil {
		p.complain("serve", c.Server, err)
		return misused
	}
	broker, err := options.Broker(c)
	if err != nil {
		p.complain("serve", c.Server, err)
		return misused
	}
	listener, err := listen(c.Server)
	if err != nil {
		p.complain("serve", c.Server, err)
		return failed
	}
	return p.proxy(ctx, c, broker, listener, reloads{hangups, load}, func(url string) {
		fmt.Fprintf(p.stdout, "listening on %s\n", url)
	})
}
