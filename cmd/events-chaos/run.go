package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/rabbit"
	"github.com/taskcluster/events-proxy/test/script"
)

// Exit statuses.
const (
	held    = 0 // every claim held
	broken  = 1 // one did not, or could not be tried
	misused = 2
)

// options are the parsed command line.
type options struct {
	shared, asJSON, verbose bool
	random, clients         int
	seed                    uint64
	memory                  int64
	proxy, operator, broker string
	management, namespace   string
	scripts                 []string
}

const usage = `usage: events-chaos run [flags] SCRIPT…
       events-chaos run --random SECONDS [flags]

Breaks an events proxy and shows whether it heals. Needs Go, and RabbitMQ on this machine
(Debian's package rabbitmq-server) unless --proxy, --operator and --broker name what runs.
`

// run is the command; it returns the exit status.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return held
	case err != nil:
		fmt.Fprintf(stderr, "events-chaos: %v\n", err)
		return misused
	}
	if o.random > 0 {
		err = harmAtRandom(ctx, o, stdout)
	} else {
		err = play(ctx, o, stdout)
	}
	if err != nil {
		fmt.Fprintf(stderr, "events-chaos: %v\n", err)
		return broken
	}
	return held
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("run", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage+"\n"); flags.PrintDefaults() }
	flags.BoolVar(&o.shared, "shared", false, "the proxy shares queues")
	flags.BoolVar(&o.asJSON, "json", false, "results as JSON, a line each")
	flags.BoolVar(&o.verbose, "verbose", false, "transcripts of scripts that passed, too")
	flags.IntVar(&o.random, "random", 0, "harm actors and links at random for so many seconds")
	flags.IntVar(&o.clients, "clients", 100, "with --random: streams at once")
	flags.Uint64Var(&o.seed, "seed", 1, "with --random: what is drawn")
	flags.Int64Var(&o.memory, "memory", 0, "with --random: MiB that the proxy may have resident; it is started with this as GOMEMLIMIT")
	flags.StringVar(&o.proxy, "proxy", "", "attach to the proxy at this URL, started with --chaos")
	flags.StringVar(&o.operator, "operator", "", "with --proxy: URL of its operators' listener")
	flags.StringVar(&o.broker, "broker", "", "with --proxy: AMQP URL to publish with")
	flags.StringVar(&o.management, "management", "", "with --proxy: URL of the broker's management plugin, http://user:password@host:15672, for the broker's own evidence")
	flags.StringVar(&o.namespace, "namespace", "guest", "with --management: the proxy's PULSE_NAMESPACE")
	if len(args) == 0 || args[0] != "run" {
		flags.Usage()
		if len(args) > 0 && (args[0] == "--help" || args[0] == "-h") {
			return o, flag.ErrHelp
		}
		return o, errors.New("the command is run")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return o, err
	}
	o.scripts = flags.Args()
	return o, o.validate()
}

func (o options) validate() error {
	var problems []error
	if (o.random > 0) == (len(o.scripts) > 0) {
		problems = append(problems, errors.New("name scripts, or --random with a number of seconds"))
	}
	if attach := o.proxy != ""; attach != (o.operator != "") || attach != (o.broker != "") {
		problems = append(problems, errors.New("--proxy, --operator and --broker go together"))
	}
	if o.management != "" {
		_, err := rabbit.NewManagement(o.management)
		problems = append(problems, err)
		if o.proxy == "" {
			problems = append(problems, errors.New("--management goes with --proxy"))
		}
	}
	if o.random < 0 || o.clients < 1 || o.memory < 0 {
		problems = append(problems, errors.New("a number is out of its range"))
	}
	for _, file := range o.scripts {
		if _, err := os.Stat(file); err != nil {
			problems = append(problems, err)
		}
	}
	return errors.Join(problems...)
}

// play plays the scripts and reports each as it ends.
func play(ctx context.Context, o options, stdout io.Writer) error {
	params := script.Params{Settings: script.Settings{ShareQueues: o.shared}}
	if o.proxy != "" {
		site := o.attached()
		params.Brokers, params.Proxy = site, site.ForScripts
	} else {
		ground, err := newGround(ctx)
		if err != nil {
			return err
		}
		defer ground.close()
		params.Brokers, params.Proxy = chaos.Brokers{Node: ground.node}, chaos.ForScripts(ground.binary)
	}
	passed, failed := 0, 0
	chaos.Play(ctx, params, o.scripts, func(r chaos.Result) {
		if r.Passed {
			passed++
		} else {
			failed++
		}
		if o.asJSON {
			json.NewEncoder(stdout).Encode(r)
		} else {
			r.Print(stdout, o.verbose)
		}
	})
	if !o.asJSON {
		fmt.Fprintf(stdout, "%d passed, %d failed\n", passed, failed)
	}
	if missing := len(o.scripts) - passed - failed; missing > 0 {
		return fmt.Errorf("called off: %d of %d scripts were not played", missing, len(o.scripts))
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d claims do not hold", failed, passed+failed)
	}
	return nil
}

// attached is the site that the flags name.
func (o options) attached() chaos.Attached {
	site := chaos.Attached{Remote: chaos.Remote{Proxy: o.proxy, Operators: o.operator}, Broker: o.broker, Namespace: o.namespace}
	if o.management != "" {
		site.Management, _ = rabbit.NewManagement(o.management) // validate has tried it
	}
	return site
}
