package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/taskcluster/events-proxy/config"
)

// The exit statuses of every command.
const (
	succeeded = 0
	failed    = 1 // what was asked for went wrong
	misused   = 2 // the command line or the settings are wrong
)

// process is what surrounds a command.
type process struct {
	env            func(string) string
	stdout, stderr io.Writer
}

// command is one word of the command line.
type command struct {
	name, arguments, help string
	run                   func(p process, ctx context.Context, args []string) int
}

// commands are in the order of help.
func commands() []command {
	return []command{
		{"serve", "[flags]", "the proxy (also: server)", process.serve},
		{"demo", "[flags]", "everything in one process, with sample messages; needs no broker", process.demo},
		{"config", "[flags]", "the settings in effect, and where they come from", process.config},
		{"write-docs", "DIR", "write the API reference and the table of settings", process.writeDocs},
		{"version", "", "version, commit and Go version", process.version},
	}
}

// run is the whole program but for signals: ctx ends when it shall drain. It returns the exit
// status.
func run(ctx context.Context, args []string, env func(string) string, stdout, stderr io.Writer) int {
	p := process{env, stdout, stderr}
	if len(args) == 0 {
		p.usage(stderr)
		return misused
	}
	switch name := args[0]; name {
	case "help", "--help", "-h":
		p.usage(stdout)
		return succeeded
	case "server":
		return p.serve(ctx, args[1:])
	default:
		for _, c := range commands() {
			if c.name == name {
				return c.run(p, ctx, args[1:])
			}
		}
		fmt.Fprintf(stderr, "events: unknown command %q\n\n", name)
		p.usage(stderr)
		return misused
	}
}

func (p process) usage(w io.Writer) {
	fmt.Fprintln(w, "events: messages of RabbitMQ (Pulse) as Server-Sent Events\n\nUsage:")
	for _, c := range commands() {
		fmt.Fprintf(w, "  events %-10s %-8s %s\n", c.name, c.arguments, c.help)
	}
	fmt.Fprintln(w, "\n`events COMMAND --help` lists the flags of a command.")
}

// settings loads the settings of a command. If that fails, it has printed why, and status is the
// exit status to end with.
func (p process) settings(name string, args []string) (c config.Config, status int, ok bool) {
	c, err := config.Load(args, p.env, os.ReadFile)
	var usage *config.UsageError
	switch {
	case err == nil:
		return c, succeeded, true
	case errors.Is(err, config.ErrHelp):
		p.flagHelp(p.stdout, name)
		return c, succeeded, false
	case errors.As(err, &usage):
		fmt.Fprintf(p.stderr, "events %s: %v\n\n", name, err)
		p.flagHelp(p.stderr, name)
	default:
		fmt.Fprintf(p.stderr, "events %s: these settings are wrong:\n%v\n", name, err)
	}
	return c, misused, false
}

func (p process) flagHelp(w io.Writer, name string) {
	for _, c := range commands() {
		if c.name == name {
			fmt.Fprintf(w, "events %s %s: %s\n\n", c.name, c.arguments, c.help)
		}
	}
	fmt.Fprintf(w, "%s\nFlags win over [VARIABLES], those over the file, that over the defaults.\n", config.FlagHelp(100))
}

// alone reports whether a command that takes no settings got the arguments it takes; --help is
// answered.
func (p process) alone(name string, args []string, want int) (status int, ok bool) {
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
		p.usage(p.stdout)
		return succeeded, false
	}
	if len(args) != want {
		fmt.Fprintf(p.stderr, "events %s: wrong arguments\n\n", name)
		p.usage(p.stderr)
		return misused, false
	}
	return succeeded, true
}
