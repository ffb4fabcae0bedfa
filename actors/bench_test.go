package actors

import (
	"strings"
	"sync"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A message from a worker into a stream and out to a writer, one at a time: the
// worst case, with a notification for each.
func BenchmarkHandOverOneByOne(b *testing.B) {
	s, events, m := benchStream()
	b.ReportAllocs()
	for b.Loop() {
		s.offer(m)
		events = s.Take(events)
		s.Done()
	}
}

// The same in bursts, as under load: one notification and one Take for 50.
func BenchmarkHandOverInBursts(b *testing.B) {
	s, events, m := benchStream()
	b.ReportAllocs()
	for b.Loop() {
		for range 50 {
			s.offer(m)
		}
		events = s.Take(events)
		s.Done()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(50*b.N), "ns/message")
}

// One message to a thousand streams of a shared queue.
func BenchmarkFanOutToAThousand(b *testing.B) {
	h, m := newHub(), &Message{JSON: make([]byte, 256)}
	h.acks = newWorker(newTestCore(), lease{}, intake{sink: h})
	h.bound = true
	var streams []*Stream
	for range 1000 {
		s := &Stream{backlog: backlog{limit: 1 << 20}}
		h.attach(s)
		streams = append(streams, s)
	}
	var events []Event
	b.ReportAllocs()
	for b.Loop() {
		h.deliver(m)
		for _, s := range streams {
			events = s.Take(events)
		}
	}
}

// silent acknowledges nothing.
type silent struct{}

func (silent) acknowledge(uint64) {}
func (silent) moving()            {}

func benchStream() (*Stream, []Event, *Message) {
	s := &Stream{}
	s.acknowledgeTo(silent{})
	s.Notify(func() {})
	return s, make([]Event, 0, 64), &Message{tag: 1, JSON: make([]byte, 256)}
}

func BenchmarkEncode(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"256B", 256}, {"4KiB", 4 << 10}} {
		b.Run(size.name, func(b *testing.B) {
			body := []byte(`{"status":{"taskId":"` + strings.Repeat("x", size.bytes-26) + `"}}`)
			d := amqp.Delivery{
				Exchange: "exchange/taskcluster-queue/v1/task-completed", RoutingKey: "primary.abc.0.us-east.worker.type._",
				CC: []string{"route.index.project.foo"}, Body: body,
			}
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				encode(d, 1<<20)
			}
		})
	}
}

// counting is an actor that does nothing but count down.
type counting struct{ left *sync.WaitGroup }

func (c counting) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(pingDue); ok {
		c.left.Done()
	}
}

// What a message between actors costs, with our mailbox's middleware: the
// reason why deliveries do not go this way.
func BenchmarkMailbox(b *testing.B) {
	system := newActorSystem(Options{}.withDefaults().Logger)
	defer system.Shutdown()
	var left sync.WaitGroup
	n := newRegistry(newCounters(), nil).newNode(nil, RoleConnection, "")
	pid := system.Root.Spawn(actor.PropsFromProducer(
		func() actor.Actor { return counting{&left} }, actor.WithMailbox(actor.Unbounded(n))))
	b.ReportAllocs()
	for b.Loop() {
		left.Add(1)
		system.Root.Send(pid, pingDue{})
	}
	left.Wait()
	if err := system.Root.StopFuture(pid).Wait(); err != nil {
		b.Fatal(err)
	}
}
