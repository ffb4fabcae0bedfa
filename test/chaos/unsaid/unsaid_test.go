// Package unsaid shows that nothing is lost unsaid: over many short runs with
// faults drawn at random, what a stream delivered, and what its error admits,
// is what was published.
package unsaid

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	runs     = 1000
	streams  = 4
	exchange = "exchange/unsaid"
	patience = 20 * time.Second
)

// mode is a way in which the streams get their messages; each pattern matches all of them.
type mode struct {
	name     string
	shared   bool
	routed   []string
	patterns [streams]string
}

var modes = []mode{
	{name: "dedicated", patterns: [streams]string{"#", "#", "#", "#"}},
	{name: "shared", shared: true, patterns: [streams]string{"#", "#", "#", "#"}},
	{name: "routed", routed: []string{exchange}, patterns: [streams]string{"#", "a", "*", "a.#"}},
}

// For each stream: delivered + what its error admits = published.
func TestNothingIsLostUnsaid(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	ends := map[actors.Code]int{}
	for i := range runs {
		r := &run{t: t, draw: rand.New(rand.NewPCG(seed, uint64(i))), mode: modes[i%len(modes)]}
		r.play()
		for _, w := range r.readers {
			if err := w.check(r.published.Load()); err != nil {
				t.Fatalf("run %d of seed %d, %s, harms %v: %v", i, seed, r.mode.name, r.harms, err)
			}
			ends[w.code]++
		}
	}
	t.Logf("streams by their end: %v", ends)
	for _, code := range []actors.Code{"", actors.BrokerLost, actors.QueueDeleted, actors.InternalError, actors.ServerShutdown, actors.SlowConsumer} {
		if ends[code] == 0 {
			t.Errorf("no stream ended with %q: the faults are too tame", code)
		}
	}
}

// run is one short life of a system.
type run struct {
	t         *testing.T
	draw      *rand.Rand
	mode      mode
	broker    *amqp.Memory
	system    *actors.System
	publisher amqp.Publisher
	published atomic.Int64 // numbers that the broker took, all of them in order
	started   atomic.Int64 // numbers that publishing was begun of
	readers   []*reader
	harms     []string
}

func (r *run) play() {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r.open(ctx)
	defer r.broker.Close()
	var reading sync.WaitGroup
	for i := range streams {
		w := &reader{run: r, slow: i == 0 && r.draw.IntN(4) == 0, ready: make(chan struct{})}
		r.readers = append(r.readers, w)
		s, err := r.system.Connect(ctx, actors.Request{Bindings: []amqp.Binding{{Exchange: exchange, Pattern: r.mode.patterns[i]}}})
		if err != nil {
			r.t.Fatal(err)
		}
		w.stream = s
		reading.Go(func() { w.read(ctx) })
	}
	for _, w := range r.readers {
		<-w.ready
	}
	count := 20 + r.draw.IntN(60)
	harmAt := r.draw.IntN(2 * count) // in half of the runs none
	for i := range count {
		if i == harmAt {
			r.harm(ctx)
		}
		r.publish(ctx)
	}
	r.finished(ctx)
	r.publisher.Close()
	if err := r.system.Close(); err != nil {
		r.t.Fatal(err)
	}
	reading.Wait()
	if left := r.broker.Queues(); len(left) > 0 {
		r.t.Fatalf("left on the broker: %v", left)
	}
}

func (r *run) open(ctx context.Context) {
	r.broker = amqp.NewMemory()
	var err error
	if r.publisher, err = r.broker.Publisher(ctx); err == nil {
		err = r.publisher.Declare(ctx, exchange, "topic")
	}
	if err != nil {
		r.t.Fatal(err)
	}
	r.system, err = actors.Open(actors.Options{
		Dialer: r.broker, ShareQueues: r.mode.shared, RoutedExchanges: r.mode.routed, Chaos: true,
		Limits: actors.Limits{Prefetch: 1 + r.draw.IntN(20), FeedPrefetch: 1 + r.draw.IntN(20), BacklogBytes: 1000, Linger: time.Nanosecond, SlowAfter: time.Millisecond},
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *run) publish(ctx context.Context) {
	n := r.started.Add(1)
	err := r.publisher.Publish(ctx, exchange, "a", amqp.Message{Body: strconv.AppendInt(nil, n, 10)})
	if err == nil {
		r.published.Store(n)
	} else {
		r.started.Add(-1) // the broker is away: the number was never used
	}
}

// harm does one thing that is drawn.
func (r *run) harm(ctx context.Context) {
	victim := r.readers[r.draw.IntN(streams)].stream
	harms := []struct {
		name string
		do   func()
	}{
		{"links", r.broker.DropLinks},
		{"channels", r.broker.CloseChannels},
		{"queues", func() {
			for _, q := range r.broker.Queues() {
				r.broker.DeleteQueue(q)
			}
		}},
		{"connection", func() { r.system.Crash(actors.RoleConnection, victim.ID()) }},
		{"consumer", func() { r.system.Crash(actors.RoleConsumer, victim.ID()) }},
		{"worker", func() { r.system.Crash(actors.RoleWorker, victim.ID()) }},
		{"feed", func() { r.system.Crash(actors.RoleFeed, victim.ID()) }},
		{"broker", func() { r.system.Crash(actors.RoleBroker, "") }},
		{"connections", func() { r.system.Crash(actors.RoleConnections, "") }},
		{"by hand", func() { r.system.End(actors.ByID(victim.ID()), nil) }},
		{"drain", func() { go r.system.Drain(ctx, 0) }}, // ends with the system at the latest
	}
	one := harms[r.draw.IntN(len(harms))]
	r.harms = append(r.harms, one.name)
	one.do()
}

// finished waits until every reader has all, or has ended.
func (r *run) finished(ctx context.Context) {
	for _, w := range r.readers {
		for !w.over.Load() && w.last.Load() < r.published.Load() {
			select {
			case <-ctx.Done():
				r.t.Fatalf("a reader has %d of %d and no end; harms %v, %s", w.last.Load(), r.published.Load(), r.harms, r.mode.name)
			case <-time.After(100 * time.Microsecond):
			}
		}
	}
}

// reader reads one stream.
type reader struct {
	run    *run
	stream *actors.Stream
	slow   bool
	ready  chan struct{}
	from   int64 // what was published from here on must come
	got    []int64
	last   atomic.Int64
	over   atomic.Bool
	code   actors.Code // "" while all is well at the system's end
}

func (w *reader) read(ctx context.Context) {
	defer w.over.Store(true)
	begun := sync.OnceFunc(func() { close(w.ready) })
	defer begun()
	for event, err := range w.stream.Events(ctx) {
		if told := (*actors.Error)(nil); errors.As(err, &told) {
			w.code = told.Code
		}
		switch e := event.(type) {
		case actors.Ready:
			w.from = w.run.started.Load() + 1
			begun()
			if w.slow {
				time.Sleep(5 * time.Millisecond) // that is the fault
			}
		case *actors.Message:
			n, err := strconv.ParseInt(string(e.Body), 10, 64)
			if err != nil {
				w.run.t.Errorf("a message that was not published: %q", e.Body)
			}
			w.got = append(w.got, n)
			w.last.Store(n)
		}
	}
}

// check compares what came with what was published.
func (w *reader) check(published int64) error {
	for i := 1; i < len(w.got); i++ {
		if w.got[i] != w.got[i-1]+1 {
			return fmt.Errorf("message %d came after %d", w.got[i], w.got[i-1])
		}
	}
	if len(w.got) > 0 && w.got[0] > w.from {
		return fmt.Errorf("the first message is %d, and it was ready before %d", w.got[0], w.from)
	}
	if w.last.Load() >= published && (w.code == "" || w.code == actors.ServerShutdown) {
		w.code = "" // it had all, and ended with the system
		return nil
	}
	if w.code == "" {
		return fmt.Errorf("%d of %d came, and no error says so", w.last.Load(), published)
	}
	if !w.code.Retryable() {
		return fmt.Errorf("%s does not admit a loss", w.code)
	}
	return nil
}
