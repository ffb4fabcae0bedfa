package main

import (
	"context"
	"fmt"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/config"
)

// serve is the proxy in front of a RabbitMQ. The broker need not be there yet.
func (p process) serve(ctx context.Context, args []string) int {
	c, status, ok := p.settings("serve", args)
	if !ok {
		return status
	}
	broker, err := rabbitMQ(c)
	if err != nil {
		fmt.Fprintf(p.stderr, "events serve: %v\n", err)
		return misused
	}
	listener, err := listen(c.Server)
	if err != nil {
		fmt.Fprintf(p.stderr, "events serve: %v\n", err)
		return failed
	}
	return p.proxy(ctx, c, broker, listener, func(url string) {
		fmt.Fprintf(p.stdout, "listening on %s\n", url)
	})
}

// rabbitMQ prepares to dial the broker of the settings.
func rabbitMQ(c config.Config) (amqp.Dialer, error) {
	url, err := c.Pulse.BrokerURL()
	if err != nil {
		return nil, err
	}
	return amqp.NewRabbitMQ(url.Reveal(), amqp.RabbitMQOptions{Name: "events-proxy " + c.Pulse.Namespace})
}
