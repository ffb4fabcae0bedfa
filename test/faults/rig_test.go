package faults

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/proxytest"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// exchange is a topic exchange of every rig.
const exchange = script.DefaultExchange

// rig is a broker, the proxy on it, and what both look like at rest.
type rig struct {
	*testing.T
	broker    script.Broker
	node      *rabbit.Node // nil: the broker is in memory
	gate      *rabbit.Mute // before the node; nil unless the settings want it
	vhost     string
	proxy     *proxytest.Proxy
	log       *logbook
	rest      rest
	published int // by undisturbed
}

// settings are what a test wants otherwise than by default.
type settings struct {
	node   *rabbit.Node // nil: the package's
	limits actors.Limits
	ping   time.Duration
	http   httpapi.Options
	down   bool     // the broker is stopped when the proxy starts
	share  bool     // streams with equal bindings share a queue
	routed []string // patterns of exchanges whose streams share one queue
	gated  bool     // the proxy dials a gate instead of the broker, see rig.gate
	host   bool     // the handler is mounted in a host program's own http.Server
}

// onRabbitMQ starts a proxy on a virtual host of its own.
func onRabbitMQ(t *testing.T, s settings) *rig {
	t.Helper()
	if s.node == nil {
		s.node = rabbit.Run(t)
	}
	brokers, err := script.RabbitMQ(t.Context(), s.node)
	if err != nil {
		t.Fatal(err)
	}
	return on(t, brokers, s)
}

// onMemory starts a proxy on the broker that it brings along.
func onMemory(t *testing.T, s settings) *rig {
	t.Helper()
	return on(t, script.Memory(), s)
}

// rigs is how many there are now: clean counts what the process has, which is one's alone.
var rigs atomic.Int32

func on(t *testing.T, brokers script.Brokers, s settings) *rig {
	t.Helper()
	rigs.Add(1)
	t.Cleanup(func() { rigs.Add(-1) })
	broker, err := brokers.For(strings.ReplaceAll(t.Name(), "/", "-"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := broker.Close(); err != nil {
			t.Error(err)
		}
	})
	r := &rig{T: t, broker: broker, node: s.node, vhost: strings.ReplaceAll(t.Name(), "/", "-"), log: &logbook{}}
	if s.down {
		r.befall("stop")
	} else {
		r.declare(exchange)
	}
	r.start(s)
	if !s.down {
		r.settle()
	}
	return r
}

func (r *rig) start(s settings) {
	r.Helper()
	logger := slog.New(slog.NewTextHandler(r.log, nil))
	s.http.Logger, s.http.PingPeriod = logger, s.ping
	options := proxytest.Options{
		Actors: actors.Options{
			Dialer: r.broker.Dialer(), Namespace: r.broker.Namespace(), Logger: logger,
			PingPeriod: s.ping, Limits: s.limits, ShareQueues: s.share, RoutedExchanges: s.routed, Chaos: true,
		},
		HTTP: s.http,
	}
	if s.gated {
		options.Actors.Dialer = r.gatedDialer()
	}
	if s.host {
		options.Wrap = func(h http.Handler) http.Handler { return h }
	}
	running, err := proxytest.Start(options)
	if err != nil {
		r.Fatal(err)
	}
	r.proxy = running
	r.Cleanup(func() {
		running.Close()
		if r.Failed() {
			r.Logf("the proxy's log:\n%s", r.log)
		}
	})
}

// settle brings the proxy to rest: its link is up, one stream has come and gone.
func (r *rig) settle() {
	r.Helper()
	s := r.ready(exchange, "#")
	s.Close()
	r.vanishes(rest{goroutines: 1 << 20, descriptors: 1 << 20})
	r.rest = restNow()
}

// dial opens a stream with a query of its own; the test closes it. It may be
// called from any goroutine.
func (r *rig) dial(query string, o clients.Options) (*clients.Stream, error) {
	ctx, cancel := r.bounded()
	defer cancel()
	s, err := clients.Open(ctx, r.proxy.URL+script.ConnectPath+"?"+query, o)
	if err == nil {
		r.Cleanup(s.Close)
	}
	return s, err
}

// ask is dial for the test's own goroutine.
func (r *rig) ask(query string, o clients.Options) *clients.Stream {
	r.Helper()
	s, err := r.dial(query, o)
	if err != nil {
		r.Fatal(err)
	}
	return s
}

func (r *rig) open(pairs ...string) *clients.Stream {
	r.Helper()
	return r.ask(script.Query(pairs...), clients.Options{})
}

// ready opens a stream and waits until it is ready.
func (r *rig) ready(pairs ...string) *clients.Stream {
	r.Helper()
	s := r.open(pairs...)
	r.awaits(s, isReady)
	return s
}

// crowd opens n streams side by side and waits until all are ready.
func (r *rig) crowd(n int, pairs ...string) []*clients.Stream {
	r.Helper()
	streams, errs := make([]*clients.Stream, n), make([]error, n)
	var opening sync.WaitGroup
	for i := range n {
		opening.Go(func() { streams[i], errs[i] = r.dial(script.Query(pairs...), clients.Options{}) })
	}
	opening.Wait()
	if err := errors.Join(errs...); err != nil {
		r.Fatal(err)
	}
	for _, s := range streams {
		r.awaits(s, isReady)
	}
	return streams
}

// awaits waits until nothing lacks in what the stream has received, and checks the contract. The
// wait is bounded by silence: as long as messages come, a slow machine gets more time.
func (r *rig) awaits(s *clients.Stream, lacks func(clients.Received) error) {
	r.Helper()
	err := r.wait(s, lacks)
	for before := 0; errors.Is(err, context.DeadlineExceeded) && s.Received().Messages > before; {
		before = s.Received().Messages
		err = r.wait(s, lacks)
	}
	if err == nil {
		err = s.Received().Check()
	}
	if err != nil {
		r.Fatalf("%v\nstatus %d\n%s", err, s.Status, s.Received())
	}
}

func (r *rig) wait(s *clients.Stream, lacks func(clients.Received) error) error {
	ctx, cancel := r.bounded()
	defer cancel()
	return s.Wait(ctx, lacks)
}

// gets waits until the stream has got n messages, as awaits does, and leaves the check of what they are
// to a later one.
func (r *rig) gets(s *clients.Stream, n int) {
	r.Helper()
	if err := r.wait(s, messages(n)); err != nil {
		r.Fatalf("%v\nstatus %d\n%s", err, s.Status, s.Received())
	}
}

func isReady(received clients.Received) error {
	if !received.Ready() {
		return fmt.Errorf("it is not ready")
	}
	return nil
}

func messages(n int) func(clients.Received) error {
	return func(received clients.Received) error {
		if received.Messages != n {
			return fmt.Errorf("%d messages have come, not %d", received.Messages, n)
		}
		return nil
	}
}

// endsWith waits for the end of the answer, with this error event last.
func endsWith(code actors.Code) func(clients.Received) error {
	return func(received clients.Received) error {
		f, _, err := received.Failure()
		switch {
		case !received.Ended:
			return fmt.Errorf("it has not ended")
		case received.Err != nil:
			return received.Err
		case err != nil:
			return err
		case f.Code != string(code):
			return fmt.Errorf("it has ended with %q, not %q", f.Code, code)
		}
		return nil
	}
}

// opened is how many channels the proxy has opened so far.
func (r *rig) opened() int64 { return r.proxy.Ledger.Opened.Load() }

// bounded is the context of one wait.
func (r *rig) bounded() (context.Context, context.CancelFunc) {
	return context.WithTimeout(r.Context(), 30*time.Second)
}

func (r *rig) declare(exchange string) {
	r.Helper()
	publisher := r.publisher()
	defer publisher.Close()
	if err := publisher.Declare(r.Context(), exchange, "topic"); err != nil {
		r.Fatal(err)
	}
}

func (r *rig) publisher() amqp.Publisher {
	r.Helper()
	ctx, cancel := r.bounded()
	defer cancel()
	publisher, err := r.broker.Publisher(ctx)
	if err != nil {
		r.Fatal(err)
	}
	return publisher
}

// publish puts n numbered messages of at least size bytes into the exchange.
func (r *rig) publish(first, n, size int) {
	r.Helper()
	if err := r.tryPublish(first, n, size); err != nil {
		r.Fatal(err)
	}
}

// tryPublish is publish for other goroutines than the test's. Each message has a deadline of its
// own: the broker confirms one only when it is in every queue.
func (r *rig) tryPublish(first, n, size int) error {
	ctx, cancel := r.bounded()
	defer cancel()
	publisher, err := r.broker.Publisher(ctx)
	if err != nil {
		return err
	}
	defer publisher.Close()
	return r.publishBy(publisher, first, n, size)
}

// publishBy is tryPublish by a publisher that is open.
func (r *rig) publishBy(publisher amqp.Publisher, first, n, size int) error {
	pad := strings.Repeat("x", size)
	for i := range n {
		if err := r.publishOne(publisher, fmt.Appendf(nil, `{"n":%d,"pad":%q}`, first+i, pad)); err != nil {
			return err
		}
	}
	return nil
}

// publishAsRead publishes count messages, so many at once, no faster than this machine lets the readers
// get them. after is called after each group.
func (r *rig) publishAsRead(readers []*clients.Stream, count, atOnce, size int, after func()) {
	r.Helper()
	publisher := r.publisher()
	defer publisher.Close()
	for n := 0; n < count; n += atOnce {
		if err := r.publishBy(publisher, n+1, atOnce, size); err != nil {
			r.Fatal(err)
		}
		for _, s := range readers {
			r.gets(s, n+atOnce)
		}
		after()
	}
}

func (r *rig) publishOne(publisher amqp.Publisher, body []byte) error {
	ctx, cancel := r.bounded()
	defer cancel()
	return script.Taken(publisher.Publish(ctx, exchange, "primary.x", amqp.Message{Body: body}))
}

// befall makes a fault happen to the broker. A start may take as long as a busy machine needs for it.
func (r *rig) befall(fault string) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), script.NodePatience)
	defer cancel()
	if err := r.broker.Faults()[fault].Happen(ctx); err != nil {
		r.Fatalf("%s: %v", fault, err)
	}
}
