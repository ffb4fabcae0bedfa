package bench

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// mostQueues is up to how many clients get a queue each: what more take is the same, and longer.
const mostQueues = 5000

// A number of clients that want something different each, on one machine as far as its descriptors
// go: how fast they come, what they hold at both ends, how many messages a second go to one of them
// each, and how late these are at the same rate for all. Three ways in turns: routed, a queue each,
// and bare consumers that write; and one bare consumer of everything that drops it.
func BenchmarkDistinct(b *testing.B) {
	for _, clients := range []int{1000, 5000, 10_000, 18_000} {
		b.Run(fmt.Sprint(clients), func(b *testing.B) {
			d := &distinct{b: b, clients: clients, publisher: posting(b)}
			routed, dedicated, writing, dropping := figures{}, figures{}, figures{}, figures{}
			for b.Loop() {
				for range max(1, rounds*1000/clients) {
					d.visit(routed, serve(b, "routed"))
					d.drop(dropping)
					if clients <= mostQueues {
						d.visit(dedicated, serve(b, "dedicated"))
						d.visit(writing, bare(b, "writing", 0))
					}
				}
			}
			report(b, routed, dropping)
			for way, of := range map[string]figures{"dedicated-": dedicated, "writing-": writing} {
				for name, values := range of {
					b.ReportMetric(median(values), way+name)
				}
			}
		})
	}
}

// distinct is what one number of clients is measured with.
type distinct struct {
	b         *testing.B
	clients   int
	publisher *Posting
}

// load is one message for one client, at a rate, or, with 0, as fast as they are received.
func (d *distinct) load(messages int, rate float64) Load {
	return Load{Publisher: d.publisher, Topic: ownTopic(d.clients), Messages: messages, Size: 256, Readers: 1, Window: 500, Rate: rate}
}

// calmRate is one that every way is up to, in messages a second.
const calmRate = 1000

// visit measures one program, and ends it.
func (d *distinct) visit(into figures, p *Process) {
	d.b.Helper()
	first := fleet(d.b, p, 1, func(int) string { return Path("first") })
	time.Sleep(restTime) // what was needed only for the start goes
	before, brokerBefore, start := p.Usage(), brokerUsage(d.b), time.Now()
	f := fleet(d.b, p, d.clients, ownPath(d.clients))
	n := float64(d.clients)
	into.add("ready/s", n/time.Since(start).Seconds())
	into.add("ready-p99-ms", milliseconds(f.Opening.Quantile(0.99)))
	open, brokerOpen := p.Usage().Since(before), brokerUsage(d.b).Since(brokerBefore)
	into.add("cpu-µs/ready", float64(open.CPU.Microseconds())/n)
	into.add("broker-cpu-µs/ready", float64(brokerOpen.CPU.Microseconds())/n)
	time.Sleep(restTime) // what was needed only for connecting goes
	into.add("KiB/stream", float64(p.Usage().Since(before).RSS)/1024/n)
	into.add("broker-KiB/stream", float64(brokerUsage(d.b).Since(brokerBefore).RSS)/1024/n)
	run(d.b, into, p, &f.Received, nil, d.load(30_000, 0))
	calm := figures{}
	run(d.b, calm, p, &f.Received, &f.Delay, d.load(3*calmRate, calmRate))
	into.add("calm-p50-ms", median(calm["p50-ms"]))
	into.add("calm-p99-ms", median(calm["p99-ms"]))
	f.Close()
	first.Close()
	p.Kill()
	d.gone()
}

// drop measures what reading everything through one queue costs, without routing and clients.
func (d *distinct) drop(into figures) {
	p := bare(d.b, "consumer", 0)
	run(d.b, into, p, said(p), nil, d.load(30_000, 0))
	p.Kill()
	d.gone()
}

// gone waits until the broker has taken the queues away.
func (d *distinct) gone() {
	d.b.Helper()
	ctx, cancel := context.WithTimeout(d.b.Context(), openPatience)
	defer cancel()
	_, err := rabbit.Run(d.b).Await(ctx, func(s rabbit.Snapshot) bool { return s.QueuesOf("queue/guest/") == 0 })
	must(d.b, err)
}
