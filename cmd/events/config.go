package main

import (
	"context"
	"fmt"

	"github.com/taskcluster/events-proxy/cmd/options"
)

// config prints the effective settings as a settings file, secrets hidden. It names whatever would
// keep serve from starting, and returns the status that serve would have; a missing broker alone
// does not keep it from printing.
func (p process) config(_ context.Context, args []string) int {
	c, status, ok := p.settings("config", args)
	if !ok {
		return status
	}
	if err := options.Validate(c); err != nil {
		p.complain("config", c.Server, err)
		status = misused
	}
	if err := c.Print(p.stdout); err != nil {
		fmt.Fprintf(p.stderr, "events config: %v\n", err)
		return failed
	}
	return status
}
