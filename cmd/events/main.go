// Command events is the Taskcluster events proxy: browsers read messages of RabbitMQ ("Pulse") as
// Server-Sent Events.
//
//	events serve        the proxy          settings: events serve --help
//	events demo         everything in one process, with sample messages
//	events config       the settings in effect, and where they come from
//	events write-docs   the API reference and the table of settings, as files
//	events version
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// main is signals and the exit status. The first SIGTERM or SIGINT drains; the second ends the
// process at once, with the status that shells give for it.
func main() {
	signals := make(chan os.Signal, 2) // both may arrive before the goroutine runs
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	ctx, drain := context.WithCancel(context.Background())
	go func() { // ends with the process
		<-signals
		drain()
		if number, ok := (<-signals).(syscall.Signal); ok {
			os.Exit(128 + int(number))
		}
		os.Exit(failed)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdout, os.Stderr))
}
