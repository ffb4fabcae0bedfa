package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/taskcluster/events-proxy/actors"
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
		Seed: o.seed, Memory: o.memory << 20, Shared: o.shared, Log: c.stdout, Progress: progress(c.stderr),
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
	ground, err := newGround(ctx, o.program)
	if err != nil {
		return err
	}
	defer ground.close()
	ground.describe(ctx, run.Environment)
	_, err = c.randomOn(ctx, ground, o, run, o.report)
	return err
}

// randomAttached harms a proxy that runs, and looks at its broker.
func (c command) randomAttached(ctx context.Context, o options, run random.Options) error {
	site := o.attached()
	run.Proxy, run.Operator = o.proxy, o.operator
	describeSite(ctx, o, run.Environment)
	for name, fault := range site.Faults() {
		run.Harms = append(run.Harms, harmOf(name, fault))
	}
	if site.Management == nil {
		run.Skipped = append(run.Skipped, random.Skip{What: "links dropped by the broker", Why: "no management plugin is named"})
	}
	run.Skipped = append(run.Skipped, random.Skip{What: "faults of the network", Why: "the way from the proxy to its broker is not ours"})
	run.Census, run.Account = site.Everything, site.Account()
	_, err := c.randomRun(ctx, o, run, o.broker, o.report, func() error { return nil })
	return err
}

// randomOn starts the proxy on a broker of its own and harms it; what it leaves
// there in the end is a violation too.
func (c command) randomOn(ctx context.Context, ground *ground, o options, run random.Options, dir string) (string, error) {
	broker, err := chaos.Brokers{Node: ground.node}.For("random")
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
	process, err := chaos.ForRandom(ground.binary, broker, script.Settings{ShareQueues: o.shared}, o.memory<<20, hear)
	if err != nil {
		return "", errors.Join(err, broker.Close())
	}
	run.Proxy, run.Operator, run.Failures = process.Proxy, process.Operators, failures
	for _, fault := range []faults.Fault{faults.LinkCut, faults.LinksDropped, faults.ChannelsClosed, faults.QueuesDeleted} {
		run.Harms = append(run.Harms, harmOf(fault.Name, broker.Faults()[fault.Name]))
	}
	run.Harms = append(run.Harms, random.Harm{
		Name: "process paused", Every: 10 * time.Second, Scope: random.NoStream, Watch: process.Paused,
		Do: func(ctx context.Context, _ random.Victim) error { return process.Pause(ctx) },
	})
	everything := broker.(interface {
		Everything(context.Context) (random.Census, error)
		AdminURL() string
	})
	run.Census, run.Account = everything.Everything, "broker"
	return c.randomRun(ctx, o, run, everything.AdminURL(), dir, func() error {
		err := process.Close()
		if left := broker.Close(); left != nil { // looks for what is left there
			return errors.Join(err, left)
		}
		fmt.Fprintln(run.Log, "broker:", broker.(chaos.Evident).Evidence())
		return err
	})
}

// codesOf are the codes that streams may end with by a fault of the broker or of
// the way to it.
var codesOf = map[string][]actors.Code{
	faults.LinkCut.Name:        {actors.BrokerLost, actors.BrokerUnavailable},
	faults.LinksDropped.Name:   {actors.BrokerLost, actors.BrokerUnavailable},
	faults.ChannelsClosed.Name: {actors.BrokerLost, actors.BrokerUnavailable}, // the latter while a stream opens
	faults.QueuesDeleted.Name:  {actors.QueueDeleted, actors.BrokerLost, actors.BrokerUnavailable},
}

// harmOf makes a harm of a fault.
func harmOf(name string, fault script.Fault) random.Harm {
	return random.Harm{
		Name: name, Every: 3 * time.Second, Scope: random.Everyone, Codes: codesOf[name], Watch: fault.Watch,
		Do: func(ctx context.Context, _ random.Victim) error { return fault.Happen(ctx) },
	}
}

// randomRun is the run, once everything is there. tidy ends what was started for it;
// its error is a violation.
func (c command) randomRun(ctx context.Context, o options, run random.Options, broker, dir string, tidy func() error) (string, error) {
	s, err := newSession(dir)
	if err != nil {
		return "", errors.Join(err, tidy())
	}
	run.History = s.recorder
	report, failure := c.randomRunning(ctx, run, broker)
	verdict := check.Unknown
	if report != nil {
		verdict = report.Verdict
	}
	if err := tidy(); err != nil {
		fmt.Fprintln(run.Log, "VIOLATION", err)
		verdict, failure = check.Fail, errors.Join(failure, err)
		if report != nil {
			report.Verdict, report.Violations = verdict, append(report.Violations, err.Error())
		}
	}
	if report != nil && o.asJSON {
		json.NewEncoder(c.stdout).Encode(report)
	} else if report != nil {
		report.Print(c.stdout)
	}
	return verdict, s.conclude(verdict, report, failure)
}

func (c command) randomRunning(ctx context.Context, run random.Options, broker string) (*random.Report, error) {
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
	return random.Run(ctx, run)
}

// describeSite adds what is known of a proxy and a broker that were attached.
func describeSite(ctx context.Context, o options, facts map[string]string) {
	site := o.attached()
	facts["proxy"] = "attached, " + site.Version(ctx)
	facts["broker"] = "attached, " + site.BrokerVersion(ctx)
}
