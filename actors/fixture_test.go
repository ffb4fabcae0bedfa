package actors_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m)) }

const task = "exchange/tc/task"

// fixture is a System on a broker in memory, both gone when the test ends. A
// recorder stands between them and knows every call; no test ends well with a
// channel that was not closed exactly once.
type fixture struct {
	*actors.System
	broker *amqp.Memory
	record *recorder
	pub    amqp.Publisher
	t      *testing.T
	shared bool // streams share queues
	routed bool // all of them the same one
	broken bool // Close is known to fail
}

// forgive notes that the test made Close fail.
func (f *fixture) forgive() { f.broken = true }

func open(t *testing.T, change func(*actors.Options)) *fixture {
	t.Helper()
	return openOn(t, amqp.NewMemory(), change)
}

func openOn(t *testing.T, broker *amqp.Memory, change func(*actors.Options)) *fixture {
	t.Helper()
	f := &fixture{broker: broker, record: newRecorder(t, broker), t: t}
	o := actors.Options{Dialer: f.record, Namespace: "tester", Chaos: true, NoScouts: true}
	if change != nil {
		change(&o)
	}
	f.routed = len(o.RoutedExchanges) > 0
	f.shared = o.ShareQueues || f.routed
	var err error
	if f.pub, err = broker.Publisher(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.declare(task)
	if f.System, err = actors.Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.close)
	return f
}

// close ends the System and fails the test if anything of it is left.
func (f *fixture) close() {
	f.pub.Close()
	if err := f.Close(); err != nil && !f.broken {
		f.t.Error(err)
	}
	if f.broken {
		f.until("the last call has come back", func() bool { return f.Stats().Workers == 0 })
	}
	if s := f.Stats(); s.Streams != 0 || s.Workers != 0 || s.Leases != 0 || s.Waiting != 0 {
		f.t.Errorf("left in the process: %+v", s)
	}
	if n := f.broker.Links(); n != 0 {
		f.t.Errorf("%d links are left", n)
	}
	if q := f.broker.Queues(); len(q) != 0 {
		f.t.Errorf("queues %v are left", q)
	}
	if tree := f.Snapshot().Actors; len(tree) != 0 {
		f.t.Errorf("actors %v are left", tree)
	}
	f.broker.Close()
	f.record.check()
	time.Sleep(2 * time.Millisecond) // the actor system counts dead letters for one: its goroutine may not outlive a bubble
}

// bubble runs a test in time of its own: timeouts cost nothing, a wait that
// cannot end fails the test, and so does a goroutine that is left.
func bubble(t *testing.T, change func(*actors.Options), test func(f *fixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(open(t, change)) })
}

// pass lets the bubble's time go by, and all that happens in it come to rest.
func pass(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// mode is a way in which streams get their messages.
type mode struct {
	name string
	set  func(*actors.Options)
}

// modes are all of them: a queue per stream, one for equal bindings, one for all.
var modes = []mode{{"dedicated", dedicated}, {"shared", shared}, {"routed", routed}}

// binding are those in which the bindings of a stream are the broker's: each set of them has a
// channel and a queue.
var binding = modes[:2]

// feeding are those in which a queue serves several streams.
var feeding = modes[1:]

func dedicated(*actors.Options) {}

func shared(o *actors.Options) { o.ShareQueues = true }

// routed lists every exchange that tests declare.
func routed(o *actors.Options) { o.RoutedExchanges = []string{"exchange/*", "exchange/*/*"} }

// eachMode runs a test in each mode.
func eachMode(t *testing.T, change func(*actors.Options), test func(f *fixture)) {
	t.Helper()
	eachOf(modes, t, change, test)
}

// eachOf runs a test in some modes.
func eachOf(modes []mode, t *testing.T, change func(*actors.Options), test func(f *fixture)) {
	t.Helper()
	for _, m := range modes {
		t.Run(m.name, func(t *testing.T) {
			bubble(t, func(o *actors.Options) {
				if m.set(o); change != nil {
					change(o)
				}
			}, test)
		})
	}
}

// eachModeQuietly is eachMode for many rounds: without a subtest each.
func eachModeQuietly(t *testing.T, test func(f *fixture)) {
	t.Helper()
	for _, m := range modes {
		bubble(t, m.set, test)
	}
}

// bounded returns a context that ends a wait which should have ended long ago.
func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func (f *fixture) declare(exchange string) {
	f.t.Helper()
	if err := f.pub.Declare(bounded(f.t), exchange, "topic"); err != nil {
		f.t.Fatal(err)
	}
}

// publish publishes bodies {"n":0}, {"n":1}, … to the exchange task.
func (f *fixture) publish(key string, count int) {
	f.t.Helper()
	ctx := bounded(f.t)
	for i := range count {
		f.publishTo(ctx, task, key, amqp.Message{Body: fmt.Appendf(nil, `{"n":%d}`, i)})
	}
}

func (f *fixture) publishTo(ctx context.Context, exchange, key string, m amqp.Message) {
	f.t.Helper()
	if err := f.pub.Publish(ctx, exchange, key, m); err != nil {
		f.t.Fatal(err)
	}
}

func request(exchange, pattern string) actors.Request {
	return actors.Request{Bindings: []amqp.Binding{{Exchange: exchange, Pattern: pattern}}}
}

func (f *fixture) connect(exchange, pattern string) *actors.Stream {
	f.t.Helper()
	s, err := f.Connect(context.Background(), request(exchange, pattern))
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(s.Close)
	return s
}

// ready connects and reads until the stream is ready.
func (f *fixture) ready(exchange, pattern string) *actors.Stream {
	f.t.Helper()
	s := f.connect(exchange, pattern)
	f.awaitReady(s)
	return s
}

func (f *fixture) awaitReady(s *actors.Stream) {
	f.t.Helper()
	late := time.Now().Add(time.Minute)
	for time.Now().Before(late) {
		switch e := f.next(s).(type) {
		case actors.Ready:
			return
		case *actors.Error:
			f.t.Fatal(e)
		}
	}
	f.t.Fatal("the stream does not become ready")
}

// next returns the next event. Pings come for ever: what waits for another event bounds its wait.
func (f *fixture) next(s *actors.Stream) actors.Event {
	f.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	e, err := s.Next(ctx)
	if err != nil {
		f.t.Fatal(err)
	}
	return e
}

// message reads the next message, past pings.
func (f *fixture) message(s *actors.Stream) *actors.Message {
	f.t.Helper()
	late := time.Now().Add(time.Minute)
	for time.Now().Before(late) {
		switch e := f.next(s).(type) {
		case *actors.Message:
			return e
		case actors.Ping:
		default:
			f.t.Fatalf("want a message, have %v", e)
		}
	}
	f.t.Fatal("no message comes, and the stream goes on")
	return nil
}

// messages reads count messages of publish and fails unless they are in order.
func (f *fixture) messages(s *actors.Stream, count int) {
	f.t.Helper()
	for i := range count {
		if m := f.message(s); string(m.Body) != fmt.Sprintf(`{"n":%d}`, i) {
			f.t.Fatalf("message %d is %s", i, m.Body)
		}
	}
}

// end reads until the stream's last event.
func (f *fixture) end(s *actors.Stream) *actors.Error {
	f.t.Helper()
	late := time.Now().Add(2 * time.Minute)
	for time.Now().Before(late) {
		if e, ok := f.next(s).(*actors.Error); ok {
			return e
		}
	}
	f.t.Fatal("the stream goes on")
	return nil
}

// ends reads until the stream's last event and fails unless it has the code.
func (f *fixture) ends(s *actors.Stream, code actors.Code) *actors.Error {
	f.t.Helper()
	err := f.end(s)
	if err.Code != code {
		f.t.Fatalf("the stream ended with %v, want %s", err, code)
	}
	return err
}

// works fails unless a new stream gets its message.
func (f *fixture) works() {
	f.t.Helper()
	s := f.ready(task, "works.#")
	defer s.Close()
	f.publish("works.x", 1)
	f.messages(s, 1)
}

// clean waits until nothing of a stream is left on the broker or in the tree.
func (f *fixture) clean() {
	f.t.Helper()
	f.until("the broker is clean", func() bool {
		s := f.Stats()
		ours := func(exchange string) bool { return strings.HasPrefix(exchange, "exchange/tester/") }
		return len(f.broker.Queues()) == 0 && !slices.ContainsFunc(f.broker.Exchanges(), ours) && f.broker.Consumers() == 0 && f.broker.Channels() == 0 &&
			s.Streams == 0 && s.Workers == 0 && s.Leases == 0 && s.Waiting == 0
	})
}

// until waits for what no event announces: gauges, which it reads often.
func (f *fixture) until(what string, is func() bool) {
	f.t.Helper()
	often := time.NewTicker(time.Millisecond)
	defer often.Stop()
	late := time.After(30 * time.Second)
	for !is() {
		select {
		case <-often.C:
		case <-late:
			f.t.Fatalf("not in time: %s; queues %v, stats %+v, tree %+v", what, f.broker.Queues(), f.Stats(), f.Snapshot().Actors)
		}
	}
}
