// Command events-chaos breaks an events proxy and judges whether it heals: it plays
// chaos scripts, or harms at random for a while. It starts the proxy, a private
// RabbitMQ and a gate between the two that can be harmed; or attaches to a proxy
// and a broker that run already.
//
//	events-chaos run [flags] SCRIPT…
//	events-chaos run --random SECONDS [flags]
//	events-chaos check DIR
//	events-chaos shrink DIR
//	events-chaos list
//
// It exits with 0 when every claim was tried and held, 1 when one did not hold, 2
// when it was not used as it says, and 3 when none failed and not all could be
// judged: that is not a pass.
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
	status := command{stdout: os.Stdout, stderr: os.Stderr}.run(ctx, os.Args[1:])
	stop()
	os.Exit(status)
}
