package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/script"
)

// options are what the command line says of a run.
type options struct {
	asJSON, verbose         bool
	mode                    chaos.Mode // "": as the proxy at o.proxy serves
	random, clients         int
	nodes                   int
	rate                    float64
	seed                    uint64
	memory                  int64
	schedule                string
	program, report         string
	proxy, operator, broker string
	management, namespace   string
	scripts                 []string
	args                    []string // all of them, to repeat the run
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage+"\n"); flags.PrintDefaults() }
	shared := flags.Bool("shared", false, "the proxy shares queues; one that is attached is asked itself")
	routed := flags.Bool("routed", false, "the proxy routes: one queue for all streams; one that is attached is asked itself")
	flags.BoolVar(&o.asJSON, "json", false, "results as JSON, a line each")
	flags.BoolVar(&o.verbose, "verbose", false, "transcripts of scripts that passed, too")
	flags.StringVar(&o.report, "report", "", "write history.ndjson, result.json, junit.xml and index.html into this directory")
	flags.StringVar(&o.program, "program", "", "the proxy's binary; default: built here, or the installed events")
	flags.IntVar(&o.random, "random", 0, "harm actors and links at random for so many seconds")
	flags.IntVar(&o.clients, "clients", 100, "with --random: streams at once")
	flags.Float64Var(&o.rate, "rate", 0, "with --random: messages a second; default 200, fewer for more than 50 clients")
	flags.Uint64Var(&o.seed, "seed", 1, "with --random: of the schedule of harms")
	flags.StringVar(&o.schedule, "schedule", "", "with --random: play the harms of this report's directory, or of a JSON file, instead of drawing")
	flags.IntVar(&o.nodes, "nodes", 1, "of the RabbitMQ cluster that is started; 1: a node by itself")
	flags.Int64Var(&o.memory, "memory", 0, "with --random: MiB that the proxy may have resident; it is started with this as GOMEMLIMIT")
	flags.StringVar(&o.proxy, "proxy", "", "attach to the proxy at this URL, started with --chaos")
	flags.StringVar(&o.operator, "operator", "", "with --proxy: URL of its operators' listener")
	flags.StringVar(&o.broker, "broker", "", "with --proxy: AMQP URL to publish with")
	flags.StringVar(&o.management, "management", "", "with --proxy: URL of the broker's management plugin, http://user:password@host:15672, for the broker's own evidence")
	flags.StringVar(&o.namespace, "namespace", "guest", "with --management: the proxy's PULSE_NAMESPACE")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return o, err
	} else if err != nil {
		return o, misuse("%v", err)
	}
	o.scripts, o.args = flags.Args(), args
	switch {
	case *shared && *routed:
		return o, misuse("--shared and --routed: one of them")
	case *shared:
		o.mode = chaos.Shared
	case *routed:
		o.mode = chaos.Routed
	case o.proxy == "":
		o.mode = chaos.Dedicated
	}
	if err := o.validate(); err != nil {
		return o, misuse("%v", err)
	}
	return o, nil
}

func (o options) isRandom() bool { return o.random > 0 }

func (o options) validate() error {
	var problems []error
	wrong := func(is bool, says string) {
		if is {
			problems = append(problems, errors.New(says))
		}
	}
	wrong((o.random > 0) == (len(o.scripts) > 0), "name scripts, or --random with a number of seconds")
	attach := o.proxy != ""
	wrong(attach != (o.operator != "") || attach != (o.broker != ""), "--proxy, --operator and --broker go together")
	wrong(attach && o.program != "", "--program is started, --proxy runs already: one of them")
	wrong(o.nodes != 1 && (o.nodes < 3 || o.nodes > 9), "--nodes is 1, or 3 to 9: two are no majority without the other")
	wrong(attach && o.nodes != 1, "--nodes are started, --proxy runs already: one of them")
	wrong(o.schedule != "" && o.random == 0, "--schedule goes with --random")
	wrong(o.random < 0 || o.clients < 1 || o.clients > 60_000 || o.memory < 0 || o.rate < 0, "a number is out of its range")
	if o.management != "" {
		_, err := rabbit.NewManagement(o.management)
		problems = append(problems, err)
		wrong(!attach, "--management goes with --proxy")
	}
	for _, file := range o.scripts {
		_, err := script.Claim(file) // a script without one proves nothing
		problems = append(problems, err)
	}
	if o.report != "" {
		problems = append(problems, vacant(o.report))
	}
	return errors.Join(problems...)
}

// vacant fails where a report would be written over another.
func vacant(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		err = fmt.Errorf("--report: %s is not empty", dir)
	}
	return err
}

// repeat is the command line of this run, without a report and without passwords.
func (o options) repeat(program string) string {
	words := []string{program, "run"}
	skip := false
	for _, arg := range o.args {
		name, _, valued := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case skip:
			skip = false
		case strings.HasPrefix(arg, "-") && name == "report":
			skip = !valued
		default:
			words = append(words, hidden(arg))
		}
	}
	if o.isRandom() && !slices.ContainsFunc(o.args, func(arg string) bool { return strings.Contains(arg, "-seed") }) {
		words = append(words, "--seed", fmt.Sprint(o.seed))
	}
	return strings.Join(words, " ")
}

// hidden replaces the password in a URL.
func hidden(arg string) string {
	scheme, rest, ok := strings.Cut(arg, "://")
	at := strings.LastIndexByte(rest, '@')
	if !ok || at < 0 {
		return arg
	}
	user, _, _ := strings.Cut(rest[:at], ":")
	return scheme + "://" + user + ":PASSWORD" + rest[at:]
}

// attached is the site that the flags name.
func (o options) attached() chaos.Attached {
	site := chaos.Attached{Remote: chaos.Remote{Proxy: o.proxy, Operators: o.operator}, Broker: o.broker, Namespace: o.namespace}
	if o.management != "" {
		site.Management, _ = rabbit.NewManagement(o.management) // validate has tried it
	}
	return site
}

// attachedMode finds out how the proxy that runs serves streams of an exchange, and holds that against
// what the flags say.
func (o options) attachedMode(ctx context.Context, exchange string) (chaos.Mode, error) {
	mode, err := o.attached().Mode(ctx, exchange)
	switch {
	case err != nil:
		return mode, fmt.Errorf("%w: %w", errUnproved, err)
	case o.mode != "" && o.mode != mode:
		return mode, misuse("--%s: the proxy that is attached serves %s in another mode, %s", o.mode, exchange, mode)
	}
	return mode, nil
}
