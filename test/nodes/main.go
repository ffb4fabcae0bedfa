// Command nodes measures what becomes of many streams of one proxy, the real binary, when nodes of
// a real RabbitMQ cluster end and return. The clients obey the contract: after a retryable error
// they wait a random time up to retryAfterMs, and open another stream. It prints figures, and exits
// with 1 where one is outside its bound.
//
//	go run ./test/nodes                          every trial, 900 streams
//	go run ./test/nodes -streams 300 restart     one
//
//	kill      one of three nodes is killed: only its streams are told, and they are ready again soon
//	restart   the nodes are restarted one after another: two minutes later each has its share
//	mute      one address never answers, another one refuses: a stream is ready within a dial's time
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
)

type trial struct {
	name string
	run  func(*rig) error
}

// trials in the order in which they run.
var trials = []trial{
	{"mute", mute},
	{"kill", kill},
	{"restart", restart},
}

func main() {
	streams := flag.Int("streams", 900, "clients, each with one stream")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *streams, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "nodes:", err)
		os.Exit(1)
	}
}

// run runs the trials that are named, all of them where none is.
func run(ctx context.Context, streams int, names []string) error {
	for _, name := range names {
		if !slices.ContainsFunc(trials, func(t trial) bool { return t.name == name }) {
			return fmt.Errorf("there is no trial %q", name)
		}
	}
	r, err := newRig(ctx, streams)
	if err != nil {
		return err
	}
	defer r.close()
	for _, t := range trials {
		if len(names) > 0 && !slices.Contains(names, t.name) {
			continue
		}
		if err := r.cluster.Heal(ctx); err != nil {
			return err
		}
		err := t.run(r)
		r.leave()
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}
