// Command events-chaos breaks an events proxy and shows whether it heals: it plays chaos scripts,
// or harms at random for a while. It builds and starts the proxy, a private RabbitMQ and a gate
// between the two that can be harmed; or attaches to a proxy and a broker that run already.
//
//	events-chaos run [flags] SCRIPT…
//	events-chaos run --random SECONDS [--clients N] [--seed N]
//
// It exits with 0 when every claim held, 1 when one did not, 2 when it was not used.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once; what it started goes with it
	status := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(status)
}
