package bench

import (
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/http/proxytest"
)

// The two below run the proxy in this process, on the in-memory broker, so that
// -cpuprofile and -memprofile see it.

// A client that comes, is ready and leaves, one at a time.
func BenchmarkProfileVisit(b *testing.B) {
	p := inProcess(b)
	f := inProcessFleet(b, p, 1)
	b.ReportAllocs()
	for b.Loop() {
		must(b, visit(f, p.URL, samePath(0)))
	}
}

// A message to a thousand clients.
func BenchmarkProfileFanOut(b *testing.B) {
	const clients = 1000
	memory := amqp.NewMemory()
	p := inProcessOn(b, memory)
	f := inProcessFleet(b, p, clients)
	publisher, err := memory.Publisher(b.Context())
	must(b, err)
	load := Load{Publisher: publisher, Topic: sameTopic, Messages: b.N, Size: 256, Readers: clients, Window: 32}
	b.ReportAllocs()
	b.ResetTimer()
	_, err = load.Run(b.Context(), &f.Received)
	must(b, err)
	b.StopTimer()
	b.ReportMetric(float64(b.N*clients)/b.Elapsed().Seconds(), "deliveries/s")
}

func inProcess(b *testing.B) *proxytest.Proxy { return inProcessOn(b, amqp.NewMemory()) }

func inProcessOn(b *testing.B, memory *amqp.Memory) *proxytest.Proxy {
	publisher, err := memory.Publisher(b.Context())
	must(b, err)
	must(b, publisher.Declare(b.Context(), Exchange, "topic"))
	p, err := proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: memory, ShareQueues: true}})
	must(b, err)
	b.Cleanup(func() { p.Close() })
	return p
}

func inProcessFleet(b *testing.B, p *proxytest.Proxy, n int) *Fleet {
	f := &Fleet{}
	b.Cleanup(f.Close)
	must(b, f.Open(p.URL, n, openAtOnce, samePath))
	must(b, Await("clients ready", &f.Ready, int64(n), openPatience))
	return f
}
