package bench

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const (
	openAtOnce   = 64
	openPatience = 2 * time.Minute // a broker makes 300 queues a second
	rounds       = 3               // of which the median counts
)

// figures are the medians' material of one subject.
type figures map[string][]float64

func (f figures) add(name string, value float64) { f[name] = append(f[name], value) }

// report returns the medians, and with a baseline their ratios.
func report(b *testing.B, own, baseline figures) {
	b.ReportMetric(0, "ns/op") // says nothing here
	for name, values := range own {
		b.ReportMetric(median(values), name)
		if of := baseline[name]; len(of) > 0 {
			b.ReportMetric(median(of), "bare-"+name)
			b.ReportMetric(median(values)/median(of), name+"-ratio")
		}
	}
}

// run publishes once and notes what it cost the process and the broker.
func run(b *testing.B, into figures, p *Process, received *atomic.Int64, delay *Latency, load Load) {
	b.Helper()
	if delay != nil {
		delay.Reset()
	}
	before, brokerBefore := p.Usage(), brokerUsage(b)
	took, err := load.Run(b.Context(), received)
	must(b, err)
	deliveries := float64(load.Messages * load.Readers)
	own, broker := p.Usage().Since(before), brokerUsage(b).Since(brokerBefore)
	into.add("deliveries/s", deliveries/took.Seconds())
	into.add("cpu-µs/delivery", float64(own.CPU.Microseconds())/deliveries)
	into.add("broker-cpu-µs/delivery", float64(broker.CPU.Microseconds())/deliveries)
	if delay != nil {
		into.add("p50-ms", milliseconds(delay.Quantile(0.5)))
		into.add("p99-ms", milliseconds(delay.Quantile(0.99)))
	}
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// One message to everybody, as fast as it goes: 32 under way.
func BenchmarkSaturated(b *testing.B) {
	for _, size := range []int{256, 4096} {
		for _, clients := range []int{100, 1000} {
			b.Run(fmt.Sprintf("%dB/%d", size, clients), func(b *testing.B) {
				load := Load{Publisher: publisher(b), Topic: sameTopic, Messages: 400_000 / clients, Size: size, Readers: clients, Window: 32}
				compare(b, load)
			})
		}
	}
}

// One message to everybody with few under way, so that they do not wait for each other: the delay of
// a feed that has room.
func BenchmarkHalfLoaded(b *testing.B) {
	const clients = 1000
	for _, size := range []int{256, 4096} {
		b.Run(fmt.Sprintf("%dB/%d", size, clients), func(b *testing.B) {
			load := Load{Publisher: publisher(b), Topic: sameTopic, Messages: 400, Size: size, Readers: clients, Window: 8}
			compare(b, load)
		})
	}
}

// One message to everybody, twenty times a second.
func BenchmarkFixedRate(b *testing.B) {
	for _, size := range []int{256, 4096} {
		for _, clients := range []int{100, 1000} {
			b.Run(fmt.Sprintf("%dB/%d", size, clients), func(b *testing.B) {
				load := Load{Publisher: publisher(b), Topic: sameTopic, Messages: 60, Size: size, Readers: clients, Rate: 20}
				compare(b, load)
			})
		}
	}
}

// compare runs a load in turns on the proxy, shared, and on bare sockets.
func compare(b *testing.B, load Load) {
	own, baseline := figures{}, figures{}
	shared, sockets := serve(b, "shared"), bare(b, "sockets", 0)
	ownFleet, bareFleet := fleet(b, shared, load.Readers, samePath), fleet(b, sockets, load.Readers, samePath)
	bareLoad := load
	bareLoad.Topic = toBare
	for b.Loop() {
		for range rounds {
			run(b, own, shared, &ownFleet.Received, &ownFleet.Delay, load)
			run(b, baseline, sockets, &bareFleet.Received, &bareFleet.Delay, bareLoad)
		}
	}
	report(b, own, baseline)
}

// One message to everybody through a queue each, which the broker bounds: the
// proxy, consumers that write to clients, and (drop-) consumers that drop what
// they get.
func BenchmarkDedicated(b *testing.B) {
	const clients = 1000
	own, writing, dropping := figures{}, figures{}, figures{}
	load := Load{Publisher: publisher(b), Topic: sameTopic, Messages: 60, Size: 256, Readers: clients, Window: 32}
	bareLoad := load
	bareLoad.Topic = toBare
	for b.Loop() {
		for range rounds {
			served(b, own, serve(b, "dedicated"), load, "k")
			served(b, writing, bare(b, "writing", 0), bareLoad, bareTopic)
			consumers := bare(b, "consumers", clients)
			run(b, dropping, consumers, said(consumers), nil, bareLoad)
			consumers.Kill()
		}
	}
	report(b, own, writing)
	b.ReportMetric(median(dropping["deliveries/s"]), "drop-deliveries/s")
	b.ReportMetric(median(own["deliveries/s"])/median(dropping["deliveries/s"]), "drop-deliveries/s-ratio")
}

// served runs a load on a program with clients of its own, and ends both.
func served(b *testing.B, into figures, p *Process, load Load, topic string) {
	f := fleet(b, p, load.Readers, func(int) string { return Path(topic) })
	run(b, into, p, &f.Received, nil, load)
	f.Close()
	p.Kill()
}

// said follows the number that a process prints in lines.
func said(p *Process) *atomic.Int64 {
	var number atomic.Int64
	go func() { // ends with the process
		for {
			line, err := p.Said.ReadString('\n')
			if err != nil {
				return
			}
			if n, err := strconv.ParseInt(strings.TrimSpace(line), 10, 64); err == nil {
				number.Store(n)
			}
		}
	}()
	return &number
}

// What an idle stream holds: in the proxy and, where it has a queue, in the
// broker. The processes are new for each figure.
func BenchmarkIdle(b *testing.B) {
	for _, c := range []struct {
		mode    string
		streams int
	}{{"shared", 1000}, {"shared", 5000}, {"shared", 10_000}, {"routed", 10_000}, {"dedicated", 1000}, {"dedicated", 2000}} {
		b.Run(fmt.Sprintf("%s/%d", c.mode, c.streams), func(b *testing.B) {
			publisher(b)
			own := figures{}
			for b.Loop() {
				for range rounds {
					idle(b, own, c.mode, c.streams)
				}
			}
			report(b, own, nil)
		})
	}
}

// restTime is how long a process has rested when its memory is measured.
const restTime = 3 * time.Second

func idle(b *testing.B, into figures, mode string, streams int) {
	p := serve(b, mode)
	first := fleet(b, p, 1, samePath)
	time.Sleep(restTime) // what was needed only for the start goes
	before, brokerBefore := p.Usage(), brokerUsage(b)
	path := samePath
	if mode == "routed" {
		path = ownPath(streams)
	}
	f := fleet(b, p, streams, path)
	time.Sleep(restTime) // what was needed only for connecting goes
	own, broker := p.Usage().Since(before), brokerUsage(b).Since(brokerBefore)
	into.add("KiB/stream", float64(own.RSS)/1024/float64(streams))
	into.add("broker-KiB/stream", float64(broker.RSS)/1024/float64(streams))
	into.add("ready-p50-ms", milliseconds(f.Opening.Quantile(0.5)))
	into.add("ready-p99-ms", milliseconds(f.Opening.Quantile(0.99)))
	f.Close()
	first.Close()
	p.Kill()
}
