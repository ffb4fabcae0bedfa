package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/random"
	"github.com/taskcluster/events-proxy/test/script"
)

// randomExchange is where the messages of a random run are published.
const randomExchange = "exchange/chaos/random"

// harmAtRandom breaks the proxy for a while and looks whether it has healed.
func harmAtRandom(ctx context.Context, o options, stdout io.Writer) error {
	run := random.Options{
		Exchange: randomExchange, Clients: o.clients, For: time.Duration(o.random) * time.Second,
		Seed: o.seed, Memory: o.memory << 20, Log: stdout,
	}
	if o.asJSON {
		run.Log = io.Discard
	}
	if o.proxy != "" {
		return o.randomAttached(ctx, run, stdout)
	}
	if o.memory > 0 {
		os.Setenv("GOMEMLIMIT", fmt.Sprintf("%dMiB", o.memory)) // the proxy's, which inherits it
	}
	return o.randomOnGround(ctx, run, stdout)
}

// randomAttached harms a proxy that runs, and looks at its broker afterwards.
func (o options) randomAttached(ctx context.Context, run random.Options, stdout io.Writer) error {
	site := o.attached()
	run.Proxy, run.Operator = o.proxy, o.operator
	for name, fault := range site.Faults() {
		run.Harms = append(run.Harms, random.Harm{Name: name, Every: 3 * time.Second, Do: fault})
	}
	before, err := site.Census(ctx)
	if err != nil {
		return err
	}
	failure := o.randomRun(ctx, run, o.broker, stdout)
	evidence, err := site.Settled(context.WithoutCancel(ctx), before) // of a run that was called off, too
	if err == nil {
		fmt.Fprintln(run.Log, "broker:", evidence)
	}
	return errors.Join(failure, err)
}

// randomOnGround starts the proxy on a broker of its own, and looks at the broker afterwards.
func (o options) randomOnGround(ctx context.Context, run random.Options, stdout io.Writer) (err error) {
	ground, err := newGround(ctx)
	if err != nil {
		return err
	}
	defer ground.close()
	broker, err := chaos.Brokers{Node: ground.node}.For("random")
	if err != nil {
		return err
	}
	started, err := chaos.ForScripts(ground.binary)(broker, script.Settings{ShareQueues: o.shared})
	if err != nil {
		return err
	}
	process := started.(*chaos.Process)
	run.Proxy, run.Operator = process.Proxy, process.Operators
	for _, fault := range []faults.Fault{faults.LinkCut, faults.LinksDropped, faults.ChannelsClosed, faults.QueuesDeleted} {
		run.Harms = append(run.Harms, random.Harm{Name: fault.Name, Every: 3 * time.Second, Do: broker.Faults()[fault.Name]})
	}
	failure := o.randomRun(ctx, run, broker.(interface{ AdminURL() string }).AdminURL(), stdout)
	if err := process.Close(); err != nil && failure == nil {
		failure = err
	}
	if err := broker.Close(); err != nil && failure == nil { // looks for what is left there
		failure = err
	} else if err == nil {
		fmt.Fprintln(run.Log, "broker:", broker.(chaos.Evident).Evidence())
	}
	return failure
}

// randomRun is the run, once everything is there.
func (o options) randomRun(ctx context.Context, run random.Options, broker string, stdout io.Writer) error {
	dialer, err := amqp.NewRabbitMQ(broker, amqp.RabbitMQOptions{Name: "events-chaos"})
	if err != nil {
		return err
	}
	publisher := random.NewPublisher(dialer, randomExchange)
	defer publisher.Close()
	if err := publisher.Declare(ctx); err != nil {
		return err
	}
	run.Publish = publisher.Publish
	report, err := random.Run(ctx, run)
	if err != nil {
		return err
	}
	if o.asJSON {
		json.NewEncoder(stdout).Encode(report)
	} else {
		report.Print(stdout)
	}
	if !report.Passed() {
		return fmt.Errorf("%d violations", report.Violated)
	}
	return nil
}
