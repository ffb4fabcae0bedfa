package balancers

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// crowd is how many clients are there while proxies are replaced: go test ./test/balancers -clients
// 300
var crowd = flag.Int("clients", 60, "clients that are there while proxies are replaced")

// exchange is where the numbered messages are published.
const exchange = "exchange/balancers"

// binary is the proxy, built once for all tests.
var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "events-balancers-")
	if err != nil {
		return "", err
	}
	built = dir
	return chaos.Build(context.Background(), dir)
})

var built string // the folder that it was built in

// tests runs them, and removes what was built for them.
type tests struct{ *testing.M }

func (t tests) Run() int {
	defer func() { os.RemoveAll(built) }()
	return t.M.Run()
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(tests{m})) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// three starts three proxies on the package's RabbitMQ.
func three(t *testing.T, flags ...string) *fleet {
	t.Helper()
	node := rabbit.Run(t)
	path, err := binary()
	must(t, err)
	f, err := startFleet(path, node.URL(), 3, flags...)
	t.Cleanup(func() { must(t, f.close()) })
	must(t, err)
	return f
}

// before starts a balancer with its shipped file in front of a fleet.
func before(t *testing.T, p product, f *fleet, edits ...string) *balancer {
	t.Helper()
	text, err := p.shipped(f.addresses(), edits...)
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := p.start(ctx, t.TempDir(), text)
	must(t, err)
	t.Cleanup(func() {
		b.close()
		if t.Failed() {
			t.Logf("%s:\n%s", p.name, b.log())
		}
	})
	return b
}

// each runs a test with each product.
func each(t *testing.T, run func(*testing.T, product)) {
	for _, p := range []product{nginx, haproxy} {
		t.Run(p.name, func(t *testing.T) { run(t, p) })
	}
}

// eachForm runs a test with each product, and with both forms of its file where it takes both.
func eachForm(t *testing.T, run func(t *testing.T, p product, edits []string)) {
	each(t, func(t *testing.T, p product) { run(t, p, nil) })
	if !olderThan(t, 1, 25) {
		t.Run("nginx, newer form", func(t *testing.T) { run(t, nginx, newerForm) })
	}
}

// The product itself takes the shipped file, as it is, and as it is edited for affinity.
func TestTheShippedFilesLoad(t *testing.T) {
	each(t, func(t *testing.T, p product) {
		for _, edits := range [][]string{nil, p.affinity, slices.Concat(p.affinity, p.bound)} {
			text, err := p.shipped(nil, edits...)
			must(t, err)
			dir := t.TempDir()
			_, err = certify(dir)
			must(t, err)
			must(t, p.prepare(t.Context(), dir, text, 8443))
		}
	})
}

// newerForm is what nginx wants from 1.25.1 on, as the file's comment says.
var newerForm = []string{"listen 443 ssl http2;", "listen 443 ssl;\n    http2 on;"}

// The other form of one line, that nginx wants from 1.25.1 on, is the one that the file's comment
// says: nginx of that age takes it without a warning.
func TestNewerNginxTakesTheFormInTheComment(t *testing.T) {
	const form = "`listen 443 ssl;` and `http2 on;`"
	text, err := nginx.shipped(nil)
	must(t, err)
	if !strings.Contains(text, form) {
		t.Fatalf("the comment no longer says %s", form)
	}
	text, err = edited(text, newerForm...)
	must(t, err)
	dir := t.TempDir()
	_, err = certify(dir)
	must(t, err)
	err = nginx.prepare(t.Context(), dir, text, 8443)
	if old := olderThan(t, 1, 25); old && (err == nil || !strings.Contains(err.Error(), `unknown directive "http2"`)) || !old && err != nil {
		t.Errorf("older than 1.25: %t, and it says: %v", old, err)
	}
	out, err := os.ReadFile(dir + "/log")
	if !olderThan(t, 1, 25) && (err != nil || strings.Contains(string(out), "warn")) {
		t.Errorf("it warns: %s %v", out, err)
	}
}

func olderThan(t *testing.T, major, minor int) bool {
	t.Helper()
	out, err := nginx.ask(t.Context(), []string{nginx.check[0], "-v"})
	must(t, err)
	var x, y int
	_, version, _ := strings.Cut(string(out), "nginx/")
	if _, err := fmt.Sscanf(version, "%d.%d", &x, &y); err != nil {
		t.Fatalf("%q: %v", out, err)
	}
	return x < major || x == major && y < minor
}

// A stream passes the balancer event by event, as it is, and a client that leaves is gone at the
// broker too.
func TestAStreamPassesTheBalancer(t *testing.T) {
	f := three(t)
	node, ctx := rabbit.Run(t), bounded(t)
	publisher := publishing(t, node)
	eachForm(t, func(t *testing.T, p product, form []string) {
		b := before(t, p, f, form...)
		s, err := clients.Open(ctx, b.URL+script.ConnectPath+"?"+script.Query(exchange, "#"), clients.Options{TLS: b.Trust})
		must(t, err)
		defer s.Close()
		for n := 1; n <= 3; n++ {
			must(t, s.Wait(ctx, func(r clients.Received) error { // one by one: nothing is held back until more comes
				if !r.Ready() || r.Messages < n-1 {
					return fmt.Errorf("ready: %t, %d messages, not %d", r.Ready(), r.Messages, n-1)
				}
				return nil
			}))
			must(t, script.Taken(publisher.Publish(ctx, exchange, "x", amqp.Message{Body: fmt.Appendf(nil, `{"n":%d}`, n)})))
		}
		if got := s.Header.Get("Content-Type"); s.Status != 200 || !strings.HasPrefix(got, "text/event-stream") {
			t.Errorf("status %d, %s", s.Status, got)
		}
		must(t, s.Received().Check())
		s.Close()
		must(t, node.Clean(ctx, "queue/", 1))
	})
}

func publishing(t *testing.T, node *rabbit.Node) amqp.Publisher {
	t.Helper()
	dialer, err := amqp.NewRabbitMQ(node.URL(), amqp.RabbitMQOptions{})
	must(t, err)
	publisher, err := dialer.Publisher(t.Context())
	must(t, err)
	t.Cleanup(func() { publisher.Close() })
	must(t, publisher.Declare(t.Context(), exchange, "topic"))
	return publisher
}

// With the file's option of affinity, streams with equal bindings meet in one process, so that
// shared queues are as few as the sets of bindings. With a bound, some spill to another process.
func TestEqualBindingsMeetInOneProcess(t *testing.T) {
	f := three(t, "--share-queues")
	publishing(t, rabbit.Run(t)) // declares
	each(t, func(t *testing.T, p product) {
		const sets, streams = 5, 15
		if got := queuesOf(t, before(t, p, f, p.affinity...), sets, streams); got != sets {
			t.Errorf("%d queues for %d streams with %d sets of bindings", got, streams, sets)
		}
		bound := before(t, p, f, slices.Concat(p.affinity, p.bound)...)
		if got := queuesOf(t, bound, sets, streams); got < sets || got > 2*sets {
			t.Errorf("with a bound, %d queues for %d streams with %d sets of bindings", got, streams, sets)
		}
	})
}

// queuesOf opens streams through a balancer, and returns how many queues they have together.
func queuesOf(t *testing.T, b *balancer, sets, streams int) int {
	t.Helper()
	node, ctx := rabbit.Run(t), bounded(t)
	defer func() { must(t, node.Clean(ctx, "queue/", 4)) }() // the last of all: the next test counts queues too
	for i := range streams {
		s, err := clients.Open(ctx, b.URL+script.ConnectPath+"?"+script.Query(exchange, fmt.Sprintf("set%d.#", i%sets)), clients.Options{TLS: b.Trust})
		must(t, err)
		defer s.Close()
		must(t, s.Wait(ctx, func(r clients.Received) error {
			if !r.Ready() {
				return errors.New("not ready")
			}
			return nil
		}))
	}
	s, err := node.Snapshot(ctx)
	must(t, err)
	return s.QueuesOf("queue/guest/exclusive/") // those of streams
}

// A44: three proxies are replaced one after another, while messages and clients are there. No
// client gets any answer but 200; each is told why its stream ends, and all are ready again;
// nothing is lost inside a stream, and what falls between two of them is counted.
func TestA44ProxiesAreReplacedUnderLoad(t *testing.T) {
	each(t, func(t *testing.T, p product) {
		f := three(t)
		b := before(t, p, f)
		publisher, ctx := publishing(t, rabbit.Run(t)), bounded(t)
		var published atomic.Int64
		publishers, done := context.WithCancel(ctx)
		var work sync.WaitGroup
		work.Go(func() { publish(publishers, publisher, &published) })
		all := make([]*clients.Obedient, *crowd)
		life, leave := context.WithCancel(ctx)
		defer func() { done(); leave(); work.Wait() }()
		for i := range all {
			all[i] = clients.NewObedient(b.URL+script.ConnectPath+"?"+script.Query(exchange, fmt.Sprintf("*.#.%d", i), exchange, "#"),
				clients.Options{TLS: b.Trust})
			work.Go(func() { all[i].Run(life) })
		}
		everybody(t, ctx, all, 0)
		for i := range f.ports {
			must(t, f.replace(ctx, i))
			everybody(t, ctx, all, int(published.Load()))
		}
		everybody(t, ctx, all, int(published.Load())+1)

		var a account
		a.Codes = map[string]int{}
		for i, o := range all {
			for _, err := range o.Errors() {
				t.Errorf("client %d: %v", i, err)
			}
			a.add(o)
		}
		t.Logf("%s, %d clients: %v", p.name, len(all), a)
		if a.Within > 0 || a.Twice > 0 || a.Codes["ServerShutdown"] < len(all) {
			t.Errorf("%v", a)
		}
	})
}

// publish puts numbered messages into the exchange, fifty a second, until ctx ends.
func publish(ctx context.Context, publisher amqp.Publisher, published *atomic.Int64) {
	ticks := time.NewTicker(20 * time.Millisecond)
	defer ticks.Stop()
	for n := 1; ; n++ {
		select {
		case <-ticks.C:
		case <-ctx.Done():
			return
		}
		if publisher.Publish(ctx, exchange, "x", amqp.Message{Body: fmt.Appendf(nil, `{"n":%d}`, n)}) == nil {
			published.Store(int64(n))
		}
	}
}

// everybody waits until each client's stream is ready, and has got the message with the number n or
// a later one. A client that has met what it must not fails the test at once.
func everybody(t *testing.T, ctx context.Context, all []*clients.Obedient, n int) {
	t.Helper()
	ticks := time.NewTicker(50 * time.Millisecond)
	defer ticks.Stop()
	for {
		missing := 0
		for i, o := range all {
			if errs := o.Errors(); len(errs) > 0 {
				t.Fatalf("client %d: %v", i, errors.Join(errs...))
			}
			if !has(o, n) {
				missing++
			}
		}
		if missing == 0 {
			return
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			t.Fatalf("%d of %d clients are not ready", missing, len(all))
		}
	}
}
