package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// sample is one message of the demo, on its way to an exchange.
type sample struct {
	exchange, routingKey string
	message              amqp.Message
}

// The exchanges of the demo, named and keyed as Taskcluster's.
const (
	onQueue  = "exchange/taskcluster-queue/v1/"
	onGitHub = "exchange/taskcluster-github/v1/"
	onWorker = "exchange/taskcluster-worker-manager/v1/"
)

var demoExchanges = []string{
	onQueue + "task-defined", onQueue + "task-pending", onQueue + "task-running",
	onQueue + "task-completed", onQueue + "task-failed", onQueue + "task-exception",
	onGitHub + "push",
	onWorker + "worker-requested", onWorker + "worker-running", onWorker + "worker-stopped",
}

// deployment is a Taskcluster in miniature. Every second a task is created, the one before starts,
// and the one before that ends; now and then a commit is pushed, or a worker comes or goes.
type deployment struct {
	random  *rand.Rand
	seconds int
	waiting *demoTask
	running *demoTask
	workers []*demoWorker
}

func newDeployment(seed uint64, now time.Time) *deployment {
	d := &deployment{random: rand.New(rand.NewPCG(seed, 0))}
	d.workers = []*demoWorker{d.newWorker()}
	d.waiting, d.running = d.newTask(now), d.newTask(now)
	d.running.start(now, d.workers[0])
	return d
}

// second returns what happens in the next second, in order.
func (d *deployment) second(now time.Time) []sample {
	d.seconds++
	ended, started, created := d.running, d.waiting, d.newTask(now)
	d.running, d.waiting = started, created

	ended.end(now, d.outcome())
	started.start(now, d.workers[d.random.IntN(len(d.workers))])
	samples := []sample{
		created.announce("defined"), created.announce("pending"), started.announce("running"), ended.announce(ended.state),
	}
	if d.seconds%5 == 1 {
		samples = append(samples, d.push(now))
	}
	if d.seconds%4 == 2 {
		samples = append(samples, d.moveWorkers(now)...)
	}
	return samples
}

// outcome is mostly good.
func (d *deployment) outcome() string {
	switch n := d.random.IntN(10); n {
	case 0:
		return "exception"
	case 1, 2:
		return "failed"
	default:
		return "completed"
	}
}

// slug returns 22 characters that start with a letter, as Taskcluster's identifiers do.
func (d *deployment) slug() string {
	var id [16]byte
	for i := range id {
		id[i] = byte(d.random.Uint32())
	}
	id[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(id[:])
}

func pick[T any](d *deployment, from []T) T { return from[d.random.IntN(len(from))] }

// commit returns a made-up commit.
func (d *deployment) commit() string {
	return fmt.Sprintf("%016x%016x%08x", d.random.Uint64(), d.random.Uint64(), d.random.Uint32())
}

// newSample makes a message with a JSON body; routes are what the task asked for, delivered as
// further routing keys.
func newSample(exchange, routingKey string, payload any, routes ...string) sample {
	body, err := json.Marshal(payload)
	if err != nil {
		panic(err) // the payloads are ours and hold nothing that JSON lacks
	}
	m := amqp.Message{Body: body, ContentType: "application/json"}
	for _, route := range routes {
		m.CC = append(m.CC, "route."+route)
	}
	return sample{exchange, routingKey, m}
}
