package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/taskcluster/events-proxy/test/script"
)

// Exit statuses.
const (
	held     = 0 // every claim was tried and held
	broken   = 1 // one did not
	misused  = 2
	unproved = 3 // none failed, and not all could be judged
)

const usage = `usage: events-chaos run [flags] SCRIPT…
       events-chaos run --random SECONDS [flags]
       events-chaos check DIR      judge the history of a report again
       events-chaos shrink DIR     find a short schedule that still fails
       events-chaos list           faults, commands and settings of scripts

Breaks an events proxy and judges whether it heals. Needs RabbitMQ on this machine (Debian's
package rabbitmq-server) unless --proxy, --operator and --broker name what runs; and a proxy:
--program names one, inside the repository it is built, elsewhere the installed one is taken.
Status: 0 all held, 1 a claim did not hold, 2 wrong usage, 3 not all could be judged.
`

// command is one call of the program.
type command struct{ stdout, stderr io.Writer }

// errMisused is wrapped by complaints about the call.
var errMisused = errors.New("")

// errUnproved is wrapped where claims could not be judged.
var errUnproved = errors.New("not proved")

// run runs the command and returns the exit status.
func (c command) run(ctx context.Context, args []string) int {
	err := c.dispatch(ctx, args)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return held
	}
	fmt.Fprintf(c.stderr, "events-chaos: %s\n", strings.TrimSpace(err.Error()))
	switch {
	case errors.Is(err, errMisused):
		return misused
	case errors.Is(err, errUnproved):
		return unproved
	}
	return broken
}

func (c command) dispatch(ctx context.Context, args []string) error {
	commands := map[string]func(context.Context, []string) error{
		"run": c.runRun, "check": c.runCheck, "shrink": c.runShrink, "list": c.runList,
	}
	if len(args) == 0 {
		fmt.Fprint(c.stderr, usage)
		return misuse("no command is named")
	}
	if args[0] == "--help" || args[0] == "-h" || args[0] == "help" {
		fmt.Fprint(c.stdout, usage)
		return nil
	}
	do, ok := commands[args[0]]
	if !ok {
		fmt.Fprint(c.stderr, usage)
		if meant := script.Nearest(args[0], []string{"run", "check", "shrink", "list"}); meant != "" {
			return misuse("no command is called %q; did you mean %s?", args[0], meant)
		}
		return misuse("no command is called %q", args[0])
	}
	return do(ctx, args[1:])
}

func misuse(format string, args ...any) error {
	return fmt.Errorf("%w"+format, append([]any{errMisused}, args...)...)
}

// runRun is the command run.
func (c command) runRun(ctx context.Context, args []string) error {
	o, err := parse(args, c.stderr)
	if err != nil {
		return err
	}
	if o.isRandom() {
		return c.harmAtRandom(ctx, o)
	}
	return c.play(ctx, o)
}
