package bench

import (
	"fmt"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// Clients that want something different each: a queue for each of them, or one for all with the
// routing in the proxy.

// ownTopic is that of one client of n.
func ownTopic(n int) func(int) string {
	return func(i int) string { return fmt.Sprintf("own.%d", i%n) }
}

func ownPath(n int) func(int) string {
	topic := ownTopic(n)
	return func(i int) string { return Path(topic(i)) }
}

// A topic for each of a thousand clients, one message, one delivery: as fast as it goes in turns with
// a queue each and routed, and then routed at half of its rate.
func BenchmarkOwnTopics(b *testing.B) {
	const clients = 1000
	routed, dedicated, half := figures{}, figures{}, figures{}
	load := Load{Publisher: posting(b), Topic: ownTopic(clients), Messages: 40_000, Size: 256, Readers: 1, Window: 500}
	for b.Loop() {
		for range rounds {
			ownTopics(b, dedicated, serve(b, "dedicated"), load)
			p := serve(b, "routed")
			f := fleet(b, p, clients, ownPath(clients))
			run(b, routed, p, &f.Received, nil, load)
			calm := load
			calm.Rate = median(routed["deliveries/s"]) / 2
			run(b, half, p, &f.Received, &f.Delay, calm)
			f.Close()
			p.Kill()
		}
	}
	report(b, routed, dedicated)
	for _, name := range []string{"deliveries/s", "p50-ms", "p99-ms"} {
		b.ReportMetric(median(half[name]), "half-"+name)
	}
}

// posting returns one whose exchange is there.
func posting(b *testing.B) *Posting {
	b.Helper()
	publisher(b)
	p, err := Post(rabbit.Run(b).URL())
	must(b, err)
	b.Cleanup(func() { p.Close() })
	return p
}

func ownTopics(b *testing.B, into figures, p *Process, load Load) {
	f := fleet(b, p, 1000, ownPath(1000))
	run(b, into, p, &f.Received, nil, load)
	f.Close()
	p.Kill()
}

// Connect, read ready, leave: each with bindings of its own to the routed queue, in turns with equal
// bindings to a shared one, and with bindings of its own and a queue each.
func BenchmarkOwnTopicsChurn(b *testing.B) {
	publisher(b)
	routed, shared, dedicated := figures{}, figures{}, figures{}
	own := ownPath(1_000_000)
	pr, ps, pd := serve(b, "routed"), serve(b, "shared"), serve(b, "dedicated")
	fleet(b, pr, 1, own)
	fleet(b, ps, 1, samePath)
	for b.Loop() {
		for range rounds {
			churn(b, routed, pr, 64, own)
			churn(b, shared, ps, 64, samePath)
			churn(b, dedicated, pd, 64, own)
		}
	}
	report(b, routed, shared)
	b.ReportMetric(median(dedicated["visits/s"]), "dedicated-visits/s")
}

// What fifty thousand patterns of routed streams cost the publishers of the exchange, and the
// process: messages that no stream wants, in turns with one stream's hundred patterns; with a bare
// consumer of everything in place of the proxy; and with no queue at all.
func BenchmarkPublishersBesidePatterns(b *testing.B) {
	const streams, each = 500, 100
	many := func(i int) string {
		var bindings []string
		for n := range each {
			bindings = append(bindings, fmt.Sprintf(`{"exchange":%q,"routingKeyPattern":"group.%d.*.task-%d.#"}`, Exchange, i, n))
		}
		return "/api/events/v1/connect/?bindings=" + url.QueryEscape(`{"bindings":[`+strings.Join(bindings, ",")+`]}`)
	}
	own, one, bareConsumer, none := figures{}, figures{}, figures{}, figures{}
	load := Load{Publisher: publisher(b), Topic: func(i int) string { return fmt.Sprintf("group.%d.x.task-none.y", i%streams) }, Messages: 30_000, Size: 256, Publishers: 32, Window: 1 << 30}
	for b.Loop() {
		for range rounds {
			p := serve(b, "routed", "--head-bytes", "64KiB")
			f := fleet(b, p, streams, many)
			published(b, own, p, load)
			f.Close()
			f = fleet(b, p, 1, many)
			published(b, one, p, load)
			f.Close()
			p.Kill()
			p = bare(b, "consumer", 0)
			said(p)
			published(b, bareConsumer, p, load)
			p.Kill()
			published(b, none, nil, load)
		}
	}
	report(b, own, one)
	for name, values := range bareConsumer {
		b.ReportMetric(median(values), "consumer-"+name)
	}
	b.ReportMetric(median(own["published/s"])/median(bareConsumer["published/s"]), "consumer-published/s-ratio")
	b.ReportMetric(median(none["published/s"]), "alone-published/s")
}

// published notes how fast messages are published that no client reads, and what each costs the
// process, nil where there is none.
func published(b *testing.B, into figures, p *Process, load Load) {
	b.Helper()
	var before Usage
	if p != nil {
		before = p.Usage()
	}
	brokerBefore := brokerUsage(b)
	var received atomic.Int64
	took, err := load.Run(b.Context(), &received)
	must(b, err)
	into.add("broker-cpu-µs/message", float64(brokerUsage(b).Since(brokerBefore).CPU.Microseconds())/float64(load.Messages))
	into.add("published/s", float64(load.Messages)/took.Seconds())
	if p != nil {
		time.Sleep(time.Second) // for what is still in the queue
		into.add("cpu-µs/message", float64(p.Usage().Since(before).CPU.Microseconds())/float64(load.Messages))
	}
}

// Ten thousand routed streams lose their link, and all come back at once.
func BenchmarkRoutedLinkLost(b *testing.B) {
	const clients = 10_000
	own := figures{}
	publisher(b)
	for b.Loop() {
		for range rounds {
			p := serve(b, "routed")
			f := fleet(b, p, clients, ownPath(clients))
			must(b, rabbit.Run(b).CloseConnections(b.Context()))
			start := time.Now()
			must(b, Await("streams ended", &f.Ended, clients, loadPatience))
			own.add("told-ms", milliseconds(time.Since(start)))
			own.add("told", float64(f.Told.Load()))
			f.Close()
			start = time.Now()
			again := &Fleet{}
			must(b, again.Open(p.URL, clients, 256, ownPath(clients)))
			must(b, Await("clients ready", &again.Ready, clients, openPatience))
			own.add("back-ms", milliseconds(time.Since(start)))
			again.Close()
			p.Kill()
			publisher(b) // the first one's connection was closed, too
		}
	}
	report(b, own, nil)
}
