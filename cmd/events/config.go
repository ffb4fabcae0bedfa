package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/taskcluster/events-proxy/config"
)

// config prints the effective settings as a settings file, secrets hidden; with invalid settings it
// names every problem and returns status 1.
func (p process) config(_ context.Context, args []string) int {
	c, err := config.Load(args, p.env, os.ReadFile)
	if problems := (config.Problems)(nil); errors.As(err, &problems) {
		fmt.Fprintln(p.stderr, problems)
		return failed
	}
	if err != nil { // the command line itself
		_, status, _ := p.settings("config", args)
		return status
	}
	if err := c.Print(p.stdout); err != nil {
		fmt.Fprintf(p.stderr, "events config: %v\n", err)
		return failed
	}
	if _, err := c.Pulse.BrokerURL(); err != nil {
		fmt.Fprintf(p.stderr, "events config: for `events serve` there is %v\n", err)
	}
	return succeeded
}
