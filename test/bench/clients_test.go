package bench

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A thousand clients that come at once to a queue that is there, and a hundred
// that need one each.
func BenchmarkConnectStorm(b *testing.B) {
	for _, c := range []struct {
		mode    string
		clients int
	}{{"shared", 1000}, {"dedicated", 200}} {
		b.Run(fmt.Sprintf("%s/%d", c.mode, c.clients), func(b *testing.B) {
			publisher(b)
			own, p := figures{}, serve(b, c.mode)
			fleet(b, p, 1, samePath)
			for b.Loop() {
				for range rounds {
					start := time.Now()
					f := &Fleet{}
					must(b, f.Open(p.URL, c.clients, c.clients, samePath))
					must(b, Await("clients ready", &f.Ready, int64(c.clients), openPatience))
					own.add("ready/s", float64(c.clients)/time.Since(start).Seconds())
					own.add("ready-p50-ms", milliseconds(f.Opening.Quantile(0.5)))
					own.add("ready-p99-ms", milliseconds(f.Opening.Quantile(0.99)))
					f.Close()
				}
			}
			report(b, own, nil)
		})
	}
}

// Connect, read ready, leave, over and over, while the queue is there.
func BenchmarkChurn(b *testing.B) {
	for _, atOnce := range []int{16, 64} {
		b.Run(fmt.Sprint(atOnce, " at once"), func(b *testing.B) {
			publisher(b)
			own, baseline := figures{}, figures{}
			shared, sockets := serve(b, "shared"), bare(b, "sockets", 0)
			fleet(b, shared, 1, samePath)
			for b.Loop() {
				for range rounds {
					churn(b, own, shared, atOnce, samePath)
					churn(b, baseline, sockets, atOnce, samePath)
				}
			}
			report(b, own, baseline)
		})
	}
}

const churnFor = 2 * time.Second

func churn(b *testing.B, into figures, p *Process, atOnce int, path func(int) string) {
	b.Helper()
	var visits atomic.Int64
	f, failed := &Fleet{}, make(chan error, atOnce)
	before, start := p.Usage(), time.Now()
	var clients sync.WaitGroup
	for range atOnce {
		clients.Go(func() {
			for time.Since(start) < churnFor {
				if err := visit(f, p.URL, path(int(visits.Add(1)))); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	clients.Wait()
	took, ready := time.Since(start), float64(f.Ready.Load())
	select {
	case err := <-failed:
		b.Fatal(err)
	default:
	}
	into.add("visits/s", ready/took.Seconds())
	into.add("cpu-µs/visit", float64(p.Usage().Since(before).CPU.Microseconds())/ready)
	into.add("ready-p50-ms", milliseconds(f.Opening.Quantile(0.5)))
}

// visit is a client that leaves when it is ready.
func visit(f *Fleet, base, path string) error {
	c, err := dial(f, base, path)
	if err != nil {
		return err
	}
	defer c.conn.Close()
	c.conn.SetDeadline(time.Now().Add(loadPatience))
	var text [2048]byte
	for known := 0; !c.ready; {
		n, err := c.conn.Read(text[known:])
		if err != nil {
			return fmt.Errorf("no ready event: %w", err)
		}
		known += n
		c.count(text[:known], known)
	}
	return nil
}

// Two hundred clients, of whom a tenth stop reading: what the others notice,
// what the stuck ones hold, and whether they are told. The others' delay is
// compared with that before in the same process; the processes are new for
// each round.
func BenchmarkSlowClients(b *testing.B) {
	own := figures{}
	p := publisher(b)
	for b.Loop() {
		for range rounds {
			slowClients(b, own, p)
		}
	}
	report(b, own, nil)
}

func slowClients(b *testing.B, own figures, publisher amqp.Publisher) {
	const clients, stuck = 200, 20
	load := Load{Publisher: publisher, Topic: sameTopic, Messages: 500, Size: 4096, Readers: clients, Rate: 100}
	p := serve(b, "shared", "--write-deadline", "2s")
	f := fleet(b, p, clients, samePath)
	defer p.Kill()
	defer f.Close()
	before := watched(p, func() { run(b, figures{}, p, &f.Received, &f.Delay, load) })
	without := f.Delay.Quantile(0.99)

	f.Stall(stuck)
	load.Readers = clients - stuck
	most := watched(p, func() { run(b, own, p, &f.Received, &f.Delay, load) })
	own.add("p99-without-ms", milliseconds(without))
	own.add("p99-ratio", float64(f.Delay.Quantile(0.99))/float64(without))
	own.add("KiB/stuck", float64(most.process-before.process)/1024/stuck)
	own.add("kernel-KiB/stuck", float64(most.kernel-before.kernel)/1024/stuck)
	f.Resume()
	must(b, Await("stuck clients ended", &f.Ended, stuck, loadPatience))
	own.add("told", float64(f.Told.Load()))
}

// held is the most memory that was held, in bytes.
type held struct{ process, kernel int64 }

// watched looks twenty times a second what a process holds while do runs.
func watched(p *Process, do func()) (most held) {
	ended := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		for {
			most = held{max(most.process, p.Usage().RSS), max(most.kernel, SocketMemory())}
			select {
			case <-ended:
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	})
	do()
	close(ended)
	watching.Wait()
	return most
}

// Ten thousand streams that end at SIGTERM, each with its error event.
func BenchmarkDrain(b *testing.B) {
	const clients = 10_000
	own := figures{}
	publisher(b)
	for b.Loop() {
		p := serve(b, "shared", "--drain-spread", "100ms")
		f := fleet(b, p, clients, samePath)
		start := time.Now()
		must(b, p.Drain())
		must(b, Await("streams ended", &f.Ended, clients, loadPatience))
		own.add("ms", milliseconds(time.Since(start)))
		own.add("told", float64(f.Told.Load()))
		f.Close()
	}
	report(b, own, nil)
}
