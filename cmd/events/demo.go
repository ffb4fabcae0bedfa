package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/config"
)

// demo is the proxy with a broker in this process, on which sample messages are published every
// second. It takes all the flags of serve, and reports which settings have no effect.
// A terminal that is closed (SIGHUP) ends it as Ctrl-C does.
func (p process) demo(ctx context.Context, args []string) int {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGHUP)
	defer stop()
	c, status, ok := p.settings("demo", args)
	if !ok {
		return status
	}
	p.reportIgnored(c)
	c.Pulse = config.Pulse{Namespace: "demo"}
	listener, err := listenForDemo(&c)
	if err != nil {
		p.complain("demo", c.Server, err)
		return failed
	}
	broker := amqp.NewMemory()
	publisher, err := demoPublisher(ctx, broker)
	if err != nil {
		listener.Close()
		p.complain("demo", c.Server, err)
		return failed
	}
	publishing, stopPublishing := context.WithCancel(ctx)
	var published sync.WaitGroup
	published.Go(func() { publishEverySecond(publishing, publisher) })
	defer func() { stopPublishing(); published.Wait(); broker.Close() }()
	return p.proxy(ctx, c, broker, listener, reloads{}, p.invite)
}

// reportIgnored names the settings of a broker, which the demo does not use.
func (p process) reportIgnored(c config.Config) {
	log, _ := newLog(p.stderr, c.Server)
	for _, s := range config.Settings {
		if strings.HasPrefix(s.Key, "pulse.") && c.Source(s.Key) != "default" {
			log.Warn("ignored: the demo has a broker of its own", "setting", c.Source(s.Key))
		}
	}
}

// listenForDemo listens for this machine alone, unless a host is given; where the default port is
// taken it takes another one.
func listenForDemo(c *config.Config) (net.Listener, error) {
	if c.Source("server.host") == "default" {
		c.Server.Host = "127.0.0.1"
	}
	listener, err := listen(c.Server)
	if errors.Is(err, syscall.EADDRINUSE) && c.Source("server.port") == "default" {
		c.Server.Port = 0
		return listen(c.Server)
	}
	return listener, err
}

func demoPublisher(ctx context.Context, broker *amqp.Memory) (amqp.Publisher, error) {
	publisher, err := broker.Publisher(ctx)
	if err != nil {
		return nil, err
	}
	for _, exchange := range demoExchanges {
		if err := publisher.Declare(ctx, exchange, "topic"); err != nil {
			return nil, err
		}
	}
	return publisher, nil
}

// publishEverySecond publishes until ctx ends. A broker in this process fails only when it is
// closed.
func publishEverySecond(ctx context.Context, publisher amqp.Publisher) {
	defer publisher.Close()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	d := newDeployment(uint64(time.Now().UnixNano()), time.Now().UTC())
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			for _, s := range d.second(now.UTC().Truncate(time.Millisecond)) {
				if publisher.Publish(ctx, s.exchange, s.routingKey, s.message) != nil {
					return
				}
			}
		}
	}
}

// invite prints what to try. The page listens at once, so that there is something to see.
func (p process) invite(base string) {
	bindings := fmt.Sprintf(`{"bindings":[{"exchange":%q,"routingKeyPattern":"primary.#"},{"exchange":%q,"routingKeyPattern":"primary.#"}]}`,
		onQueue+"task-running", onQueue+"task-completed")
	fmt.Fprintf(p.stdout, `listening on %[1]s

Messages as Taskcluster sends them, every second, on a broker in this process.

  page    %[1]s/?exchange=%[3]s&exchange=%[4]s&live=1
  stream  curl -N '%[1]s/api/events/v1/connect/?bindings=%[2]s'

Ctrl-C ends it.
`, base, url.QueryEscape(bindings), onQueue+"task-running", onQueue+"task-completed")
}
