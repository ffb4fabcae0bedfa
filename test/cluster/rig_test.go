package cluster

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/http/proxytest"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m)) }

const (
	exchange = "amq.topic"              // is there whatever happens to the nodes
	queues   = "queue/guest/exclusive/" // the names of all streams' queues begin so
	perLink  = 10                       // streams
)

// rig is a cluster and a proxy that knows all its nodes.
type rig struct {
	*testing.T
	cluster *rabbit.Cluster
	proxy   *proxytest.Proxy
	number  int // of the last message
}

// onCluster returns the cluster without a proxy. The lone side of a partition pauses: what RabbitMQ
// advises for three nodes.
func onCluster(t *testing.T) *rig {
	t.Helper()
	return &rig{T: t, cluster: rabbit.RunCluster(t, rabbit.ClusterOptions{Settings: "cluster_partition_handling = pause_minority"})}
}

// start starts both.
func start(t *testing.T) *rig {
	t.Helper()
	r := onCluster(t)
	r.serve(r.cluster.URL())
	r.newcomers(1, 30*time.Second)[0].Close()
	return r
}

// serve starts the proxy on a broker with these addresses.
func (r *rig) serve(broker string) {
	r.Helper()
	dialer, err := amqp.NewRabbitMQ(broker, amqp.RabbitMQOptions{})
	r.must(err)
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&locked{to: &log}, &slog.HandlerOptions{Level: slog.LevelDebug}))
	r.proxy, err = proxytest.Start(proxytest.Options{Actors: actors.Options{
		Dialer: dialer, Logger: logger, Limits: actors.Limits{ChannelsPerLink: perLink},
	}})
	r.must(err)
	r.Cleanup(func() {
		r.proxy.Close()
		if r.Failed() {
			r.Logf("the proxy's log:\n%s", log.String())
		}
	})
}

// locked is a writer for many goroutines.
type locked struct {
	sync.Mutex
	to *strings.Builder
}

func (l *locked) Write(p []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.to.Write(p)
}

func (r *rig) must(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

func (r *rig) bounded() context.Context {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Minute)
	r.Cleanup(cancel)
	return ctx
}

// open opens n streams side by side.
func (r *rig) open(n int) []*clients.Stream {
	r.Helper()
	streams, errs := make([]*clients.Stream, n), make([]error, n)
	var opening sync.WaitGroup
	for i := range n {
		opening.Go(func() {
			ctx, cancel := context.WithTimeout(r.Context(), 30*time.Second)
			defer cancel()
			streams[i], errs[i] = clients.Open(ctx, r.proxy.URL+script.ConnectPath+"?"+script.Query(exchange, "cluster.#"), clients.Options{})
		})
	}
	opening.Wait()
	r.must(errors.Join(errs...))
	for _, s := range streams {
		r.Cleanup(s.Close)
	}
	return streams
}

// newcomers are n clients that must have a ready stream within the limit; where they are told that
// the broker is not there, they try again, as clients do.
func (r *rig) newcomers(n int, limit time.Duration) []*clients.Stream {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	var all []*clients.Stream
	for len(all) < n {
		var again int
		for _, s := range r.open(n - len(all)) {
			switch code, err := outcome(ctx, s); {
			case err != nil:
				r.Fatalf("%d of %d newcomers are ready, then: %v\n%s", len(all), n, err, s.Received())
			case code == "":
				all = append(all, s)
			default:
				again++
			}
		}
		if again > 0 {
			select {
			case <-time.After(200 * time.Millisecond): // a client's back-off
			case <-ctx.Done():
				r.Fatalf("%d of %d newcomers are not ready within %s", again, n, limit)
			}
		}
	}
	return all
}

// outcome waits until a stream is ready (""), or has ended with a retryable error.
func outcome(ctx context.Context, s *clients.Stream) (code string, err error) {
	err = s.Wait(ctx, func(r clients.Received) error {
		if !r.Ready() && !r.Ended {
			return errors.New("neither ready nor told")
		}
		return nil
	})
	if err != nil || s.Received().Ready() {
		return "", err
	}
	return ended(s)
}

// ended returns how a stream that is over was told so, and fails unless that is retryable.
func ended(s *clients.Stream) (code string, err error) {
	if err := s.Received().Check(); err != nil {
		return "", err
	}
	f, told, err := s.Received().Failure()
	switch {
	case err != nil:
		return "", err
	case !told || f.Retryable == nil || !*f.Retryable:
		return "", fmt.Errorf("it ended with %+v", f)
	}
	return f.Code, nil
}

// publish puts a numbered message into the exchange, through one of the nodes. That the queue of a
// stream that has ended does not take it is as it should be.
func (r *rig) publish(node int) {
	r.Helper()
	publisher := r.publisher(node)
	defer publisher.Close()
	r.must(script.Taken(r.send(r.bounded(), publisher)))
}

func (r *rig) publisher(node int) amqp.Publisher {
	r.Helper()
	dialer, err := amqp.NewRabbitMQ(r.cluster.Node(node).URL(), amqp.RabbitMQOptions{})
	r.must(err)
	publisher, err := dialer.Publisher(r.bounded())
	r.must(err)
	r.Cleanup(func() { publisher.Close() })
	return publisher
}

func (r *rig) send(ctx context.Context, publisher amqp.Publisher) error {
	r.number++
	return publisher.Publish(ctx, exchange, "cluster.x", amqp.Message{Body: fmt.Appendf(nil, `{"n":%d}`, r.number)})
}

// sendUnconfirmed is send where a queue cannot take the message, such as one on a frozen node: the
// others have it, and no node confirms it. The publisher must have sent before: then only the
// confirmation can be missing.
func (r *rig) sendUnconfirmed(publisher amqp.Publisher) {
	r.Helper()
	ctx, cancel := context.WithTimeout(r.bounded(), 2*time.Second)
	defer cancel()
	if err := r.send(ctx, publisher); err == nil {
		r.Fatal("a frozen queue has taken a message")
	}
}

// get waits until each stream has got the last message, and all the n before.
func (r *rig) get(streams []*clients.Stream, n int) {
	r.Helper()
	for i, s := range streams {
		err := s.Wait(r.bounded(), func(got clients.Received) error {
			if got.Messages != n {
				return fmt.Errorf("%d messages, not %d", got.Messages, n)
			}
			return nil
		})
		if err == nil {
			err = s.Received().Check()
		}
		if err != nil {
			r.Fatalf("stream %d: %v\n%s", i, err, s.Received())
		}
	}
}

// atLeast waits until so many of the streams have got n messages.
func (r *rig) atLeast(streams []*clients.Stream, count, n int) {
	r.Helper()
	ticks, ctx := time.NewTicker(20*time.Millisecond), r.bounded()
	defer ticks.Stop()
	for {
		have := 0
		for _, s := range streams {
			if got := s.Received(); got.Messages == n && got.Check() == nil {
				have++
			}
		}
		if have >= count {
			return
		}
		select {
		case <-ticks.C:
		case <-ctx.Done():
			r.Fatalf("%d of %d streams have got %d messages, not %d", have, len(streams), n, count)
		}
	}
}

// on returns how many streams' queues each node has.
func (r *rig) on() []int {
	r.Helper()
	var counts []int
	for _, n := range r.cluster.Nodes() {
		s, err := n.Local(r.bounded())
		r.must(err)
		counts = append(counts, s.QueuesOf(queues))
	}
	return counts
}

// told waits until n streams have ended with the code, and returns the others.
func (r *rig) told(streams []*clients.Stream, n int, code actors.Code, limit time.Duration) (rest []*clients.Stream) {
	r.Helper()
	ticks, late := time.NewTicker(20*time.Millisecond), time.After(limit)
	defer ticks.Stop()
	for {
		rest = nil
		for _, s := range streams {
			if !s.Received().Ended {
				rest = append(rest, s)
			} else if got, err := ended(s); err != nil || got != string(code) {
				r.Fatalf("ended with %q, not %q: %v\n%s", got, code, err, s.Received())
			}
		}
		if len(streams)-len(rest) == n {
			return rest
		}
		select {
		case <-ticks.C:
		case <-late:
			r.Fatalf("within %s %d streams were told, not %d", limit, len(streams)-len(rest), n)
		}
	}
}
