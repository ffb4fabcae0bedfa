package main

import (
	"context"
	"fmt"

	"github.com/taskcluster/events-proxy/cmd/options"
)

// serve is the proxy in front of a RabbitMQ. The broker need not be there yet.
func (p process) serve(ctx context.Context, args []string) int {
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
	return p.proxy(ctx, c, broker, listener, func(url string) {
		fmt.Fprintf(p.stdout, "listening on %s\n", url)
	})
}
