package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"

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
	environ        []string // as os.Environ
	stdout, stderr io.Writer
	log            *atomic.Pointer[serviceLog] // of a running proxy; nil before
}

func newProcess(environ []string, stdout, stderr io.Writer) process {
	return process{environ, stdout, stderr, new(atomic.Pointer[serviceLog])}
}

// env returns a variable; "" if it is not set.
func (p process) env(name string) string {
	for _, line := range p.environ {
		if text, ok := strings.CutPrefix(line, name+"="); ok {
			return text
		}
	}
	return ""
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
		{"tail", "BINDING…", "messages of a proxy or a broker, for people and for scripts", process.tail},
		{"wait", "BINDING…", "tail until the first message that matches", process.wait},
		{"doctor", "[URL]", "finds out why messages do not arrive: settings, broker, proxies on the way", process.doctor},
		{"token", "make|check", "makes and checks the tokens that a proxy may ask for", process.token},
		{"health", "", "asks the proxy on this machine how it is: for containers", process.health},
		{"config", "[flags]", "the settings in effect, and where they come from", process.config},
		{"write-docs", "DIR", "write the API reference and the table of settings", process.writeDocs},
		{"version", "", "version, commit and Go version", process.version},
	}
}

// run is the whole program but for signals: ctx ends when it shall drain. It returns the exit
// status.
func (p process) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		p.usage(p.stderr)
		return misused
	}
	switch name := args[0]; name {
	case "help", "--help", "-h":
		p.usage(p.stdout)
		return succeeded
	case "server":
		return p.serve(ctx, args[1:])
	default:
		var names []string
		for _, c := range commands() {
			if c.name == name {
				return c.run(p, ctx, args[1:])
			}
			names = append(names, c.name)
		}
		hint := ""
		if word := config.Nearest(name, names); word != "" {
			hint = "; did you mean " + word + "?"
		}
		fmt.Fprintf(p.stderr, "events: unknown command%s%s (events --help lists the commands)\n", quoted(name), hint)
		return misused
	}
}

// quoted returns a word for a message; "" for one that may hold a password.
func quoted(word string) string {
	if strings.Contains(word, "@") {
		return ""
	}
	return fmt.Sprintf(" %q", word)
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
	c, err := config.Load(args, p.environ, os.ReadFile)
	if errors.Is(err, config.ErrHelp) {
		p.flagHelp(p.stdout, name)
		return c, succeeded, false
	}
	if err != nil {
		p.complain(name, c.Server, err)
		return c, misused, false
	}
	return c, succeeded, true
}

// complain reports what keeps a command from starting, one line for each problem: those that run as
// services in the format of their log, so that one program reads all they print.
func (p process) complain(name string, s config.Server, err error) {
	tell := func(text string) { fmt.Fprintf(p.stderr, "events %s: %s\n", name, text) }
	if name == "serve" || name == "demo" {
		if s.LogFormat == "" { // the command line could not be parsed
			s.LogFormat = p.env("EVENTS_LOG_FORMAT")
		}
		log, _ := newLog(p.stderr, s)
		tell = func(text string) { log.Error("cannot start", "error", text) }
	}
	var usage *config.UsageError
	switch problems := (config.Problems)(nil); {
	case errors.As(err, &problems):
		for _, problem := range problems {
			tell(problem.String())
		}
	case errors.As(err, &usage):
		tell(fmt.Sprintf("%v (events %s --help lists the flags)", err, name))
	default:
		tell(err.Error())
	}
}

// details are what help of a command says beyond its line in the list.
var details = map[string]string{
	"serve": `Reads messages of a RabbitMQ and serves them as event streams, beside the inspector page at /.
It ends on SIGTERM and SIGINT, telling every stream why; SIGHUP reloads the settings file, files of
secrets, and the certificate: log level, limits and lists change without touching a stream.`,
	"demo": `Runs the whole proxy with a broker in this process, on which messages as Taskcluster's are published
every second, and prints a link to a page that shows them, and a curl command. It listens on
127.0.0.1, on another port where the default one is taken. The flags are those of serve; settings
of the broker have no effect.`,
	"config": `Prints the settings in effect as a settings file, each with its source, secrets hidden. Whatever
keeps serve from starting is named, with the exit status that serve would have.`,
}

func (p process) flagHelp(w io.Writer, name string) {
	for _, c := range commands() {
		if c.name == name {
			fmt.Fprintf(w, "events %s %s: %s\n\n", c.name, c.arguments, c.help)
		}
	}
	if text, ok := details[name]; ok {
		fmt.Fprintf(w, "%s\n\n", text)
	}
	fmt.Fprintf(w, "%s\nFlags override [VARIABLES], variables the file, and the file the defaults.\n", config.FlagHelp(100))
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
