package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/history"
	"github.com/taskcluster/events-proxy/test/chaos/random"
	"github.com/taskcluster/events-proxy/test/script"
)

// randomExchange is where the messages of a random run are published.
const randomExchange = "exchange/chaos/random"

// harmAtRandom breaks the proxy for a while and judges whether it has healed.
func (c command) harmAtRandom(ctx context.Context, o options) error {
	run := random.Options{
		Exchange: randomExchange, Clients: o.clients, For: time.Duration(o.random) * time.Second, Rate: o.rate,
		Seed: o.seed, Memory: o.memory << 20, Log: c.stdout, Progress: progress(c.stderr),
		Command: o.repeat("events-chaos"), Environment: environment(),
	}
	if o.asJSON {
		run.Log = io.Discard
	}
	if o.schedule != "" {
		steps, err := random.ReadSchedule(o.schedule)
		if err != nil {
			return misuse("--schedule: %v", err)
		}
		run.Schedule = steps
	}
	if o.proxy != "" {
		return c.randomAttached(ctx, o, run)
	}
	ground, err := newGround(ctx, o.program, o.nodes)
	if err != nil {
		return err
	}
	defer ground.close()
	ground.describe(ctx, run.Environment)
	_, err = c.randomOn(ctx, ground, o, run, o.report)
	return err
}

// serve notes how the proxy serves.
func serve(mode chaos.Mode, run *random.Options) {
	run.Shared, run.Routed = mode == chaos.Shared, mode == chaos.Routed
}

// randomAttached harms a proxy that runs, and looks at its broker.
func (c command) randomAttached(ctx context.Context, o options, run random.Options) error {
	site := o.attached()
	run.Proxy, run.Operator = o.proxy, o.operator
	mode, err := o.attachedMode(ctx, randomExchange)
	if err != nil {
		return err
	}
	serve(mode, &run)
	run.Relinked = moved // its broker may have several nodes
	describeSite(ctx, o, run.Environment)
	for name, fault := range site.Faults() {
		run.Harms = append(run.Harms, harmOf(name, fault, run.Relinked))
	}
	if site.Management == nil {
		run.Skipped = append(run.Skipped, random.Skip{What: "links dropped by the broker", Why: "no management plugin is named"})
	}
	run.Skipped = append(run.Skipped,
		random.Skip{What: "faults of the network, wide headers", Why: "the way from the proxy to its broker is not ours"},
		random.Skip{What: "log unread, process paused", Why: "the proxy's process is not ours"},
		random.Skip{What: "exchange made again", Why: "how often the proxy repeats its bindings is not known"})
	run.Census, run.Account = site.Everything, site.Account()
	_, err = c.randomRun(ctx, o, run, o.broker, o.report, nil, nil)
	return err
}

// ownBroker is a broker that a random run starts for itself.
type ownBroker interface {
	Everything(context.Context) (random.Census, error)
	Backlog(context.Context) (int, error)
	AdminURL() string
	Lists(ctx context.Context, exchange string) (bool, error)
}

// gatedBroker is one with a gate on the way from the proxy, that knows frames and calls.
type gatedBroker interface {
	WideHeaders(exchange, key, body string) script.Fault
	Swallow(pattern string)
}

// harmsOn adds the harms of the ground that a run is made on.
func harmsOn(ctx context.Context, ground *ground, broker script.Broker, run *random.Options) {
	known := broker.Faults()
	if ground.cluster != nil {
		run.Nodes, run.Patience, run.SignPatience, run.Relinked = len(ground.cluster.Nodes()), nodePatience, nodeSignPatience, moved
	}
	for _, fault := range atRandomOfBroker() {
		if here, ok := known[fault.Name]; ok {
			run.Harms = append(run.Harms, harmOf(fault.Name, here, run.Relinked))
		} else {
			run.Skipped = append(run.Skipped, random.Skip{What: fault.Name, Why: "it needs a node by itself"})
		}
	}
	gated, ok := broker.(gatedBroker)
	if !ok {
		run.Skipped = append(run.Skipped, random.Skip{What: "broker unplugged, wide headers", Why: "there is no gate before the nodes of a cluster"})
		return
	}
	run.Swallow = gated.Swallow
	run.Harms = append(run.Harms, (&outage{cut: known[faults.Unplugged.Name], heal: known[faults.Heal.Name]}).harm())
	if _, err := ground.node.Manage(ctx); err != nil {
		run.Skipped = append(run.Skipped, random.Skip{What: "wide headers", Why: err.Error()})
		return
	}
	run.Harms = append(run.Harms, wideHeaders(gated.WideHeaders))
}

// harmsBy are the harms of the ground that need the run's publisher.
func harmsBy(p *random.Publisher, broker ownBroker, known map[string]script.Fault) []random.Harm {
	list := []random.Harm{remade(p, broker.Lists)}
	if cluster, ok := broker.(clusterBroker); ok {
		list = append(list, (&nodes{count: cluster.Nodes(), fault: known, move: func(node int) error {
			through, err := cluster.Through(node)
			if err == nil {
				p.Move(through)
			}
			return err
		}}).harms()...)
	}
	return list
}

// clusterBroker is one of several nodes.
type clusterBroker interface {
	Nodes() int
	Through(node int) (amqp.Publishing, error)
}

// randomOn starts the proxy on a broker of its own and harms it; what it leaves
// there in the end is a violation too.
func (c command) randomOn(ctx context.Context, ground *ground, o options, run random.Options, dir string) (string, error) {
	broker, err := ground.brokers().For("random")
	if err != nil {
		return "", err
	}
	failures := make(chan history.Failure, 1000) // a burst of failures; what does not fit is not told
	hear := func(line string) {
		if f, ok := random.FailureIn(line); ok {
			select {
			case failures <- f:
			default:
			}
		}
	}
	serve(o.mode, &run)
	settings := script.Settings{ShareQueues: run.Shared, RebindEvery: rebindEvery}
	if run.Routed {
		settings.Routed = []string{randomExchange}
	}
	if ground.cluster != nil { // so that there are links to every node
		settings.ChannelsPerLink = max(1, o.clients/(2*o.nodes))
	}
	process, err := chaos.ForRandom(ground.binary, broker, settings, o.memory<<20, hear)
	if err != nil {
		return "", errors.Join(err, broker.Close())
	}
	run.Proxy, run.Operator, run.Failures = process.Proxy, process.Operators, failures
	own := broker.(ownBroker)
	harmsOn(ctx, ground, broker, &run)
	run.Harms = append(run.Harms, paused(process), logUnread(process, randomExchange))
	run.Census, run.Account, run.Backlog = own.Everything, "broker", own.Backlog
	further := func(p *random.Publisher) []random.Harm { return harmsBy(p, own, broker.Faults()) }
	run.End = sync.OnceValue(func() error {
		err := process.Close()
		if left := broker.Close(); left != nil { // looks for what is left there
			return errors.Join(err, left)
		}
		fmt.Fprintln(run.Log, "broker:", broker.(chaos.Evident).Evidence())
		return err
	})
	verdict, err := c.randomRun(ctx, o, run, own.AdminURL(), dir, further, ground.logsWith(process))
	if ended := run.End(); err == nil { // a run that was called off, or never began, has not ended them
		err = ended
	}
	return verdict, err
}

// randomRun is the run, once everything is there. further returns the harms that need the run's
// publisher; nil: none. logs are those of what is harmed.
func (c command) randomRun(
	ctx context.Context, o options, run random.Options, broker, dir string, further func(*random.Publisher) []random.Harm, logs logs,
) (string, error) {
	s, err := newSession(dir)
	if err != nil {
		return "", err
	}
	run.History, s.logs = s.recorder, logs
	report, failure := c.randomRunning(ctx, run, broker, further)
	verdict := check.Unknown
	if report != nil {
		verdict = report.Verdict
	}
	if report != nil && o.asJSON {
		json.NewEncoder(c.stdout).Encode(report)
	} else if report != nil {
		report.Print(c.stdout)
	}
	return verdict, s.conclude(verdict, report, failure)
}

func (c command) randomRunning(ctx context.Context, run random.Options, broker string, further func(*random.Publisher) []random.Harm) (*random.Report, error) {
	dialer, err := amqp.NewRabbitMQ(broker, amqp.RabbitMQOptions{Name: "events-chaos"})
	if err != nil {
		return nil, err
	}
	publisher := random.NewPublisher(dialer, randomExchange)
	defer publisher.Close()
	if err := publisher.Declare(ctx); err != nil {
		return nil, err
	}
	run.Publish = publisher.Publish
	if further != nil {
		run.Harms = append(run.Harms, further(publisher)...)
	}
	return random.Run(ctx, run)
}

// describeSite adds what is known of a proxy and a broker that were attached.
func describeSite(ctx context.Context, o options, facts map[string]string) {
	site := o.attached()
	facts["proxy"] = "attached, " + site.Version(ctx)
	facts["broker"] = "attached, " + site.BrokerVersion(ctx)
}
