package faults

import (
	"fmt"
	"net/url"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/clients"
)

// modes are a queue for each stream, and shared queues; true: they are shared.
var modes = map[string]bool{"a queue each": false, "a queue for all": true}

// eachMode runs a test with a queue for each stream and with shared queues.
func eachMode(t *testing.T, s settings, test func(r *rig)) {
	t.Helper()
	for name, share := range modes {
		t.Run(name, func(t *testing.T) {
			s := s
			s.share = share
			test(onRabbitMQ(t, s))
		})
	}
}

// eachModeAside is eachMode beside other tests: for those that do not count what the process has. The
// node is the one that the function returns: the package's, or one that the test has for itself.
func eachModeAside(t *testing.T, s settings, node func(*testing.T) *rabbit.Node, test func(r *rig)) {
	t.Helper()
	t.Parallel()
	for name, share := range modes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := s
			s.share, s.node = share, node(t)
			test(onRabbitMQ(t, s))
		})
	}
}

// shared and alone are the nodes of tests beside others.
func shared(t *testing.T) *rabbit.Node { return rabbit.Run(t) }
func alone(t *testing.T) *rabbit.Node  { return rabbit.Lease(t) }

// do fails the test unless an administrator's doing has worked.
func (r *rig) do(err error) {
	r.Helper()
	if err != nil {
		r.Fatal(err)
	}
}

// neighbours opens streams with bindings of their own, so that each has a channel in both modes.
func (r *rig) neighbours(n int) []*clients.Stream {
	r.Helper()
	streams := make([]*clients.Stream, n)
	for i := range streams {
		streams[i] = r.ready(exchange, "#", exchange, fmt.Sprintf("other.%d", i))
	}
	return streams
}

// undisturbed publishes messages and fails unless every one of the streams receives them, and none
// has ended.
func (r *rig) undisturbed(streams []*clients.Stream) {
	r.Helper()
	had := make([]int, len(streams))
	for i, s := range streams {
		had[i] = s.Received().Messages
	}
	r.publish(1+r.published, 10, 0)
	r.published += 10
	for i, s := range streams {
		r.awaits(s, messages(had[i]+10))
	}
}

// unharmed is undisturbed, and no link was lost.
func (r *rig) unharmed(streams []*clients.Stream) {
	r.Helper()
	r.undisturbed(streams)
	if n := r.proxy.System.Stats().LinksLost; n != 0 {
		r.Errorf("%d links with streams were lost", n)
	}
}

// A22: a bind that RabbitMQ answers by closing the connection ends the stream that asked for it,
// which is told not to come back with it; the streams of the same connection miss nothing, however
// often it is tried.
func TestA22ABindThatEndsTheConnectionEndsNoOtherStream(t *testing.T) {
	eachMode(t, settings{}, func(r *rig) {
		r.do(r.node.EnablePlugin(r.Context(), "rabbitmq_jms_topic_exchange"))
		const hostile = "exchange/jms"
		r.do(r.node.DeclareExchange(r.Context(), r.vhost, hostile, "x-jms-topic"))
		neighbours := r.neighbours(10)
		for range 3 {
			s := r.open(hostile, "#")
			r.awaits(s, endsWith(actors.BindingRefused))
			if f, _, _ := s.Received().Failure(); *f.Retryable {
				r.Error("the client would come back with it")
			}
			mixed := r.open(exchange, "#", hostile, "a.b")
			r.awaits(mixed, endsWith(actors.BindingRefused))
		}
		r.unharmed(neighbours)
		for _, s := range neighbours {
			s.Close()
		}
		r.clean()
	})
}

// A22, later: the exchange of a stream is deleted and made again as one whose bind ends the
// connection. Repeating the stream's bindings ends that stream, and no other.
func TestA22AnExchangeThatIsMadeAgainAsAHostileOneEndsNoOtherStream(t *testing.T) {
	eachMode(t, settings{limits: actors.Limits{RebindEvery: 2 * time.Second}}, func(r *rig) {
		r.do(r.node.EnablePlugin(r.Context(), "rabbitmq_jms_topic_exchange"))
		const changes = "exchange/tc/changes"
		r.declare(changes)
		own, neighbours := r.ready(changes, "#"), r.neighbours(10)
		r.delete(changes)
		r.do(r.node.DeclareExchange(r.Context(), r.vhost, changes, "x-jms-topic"))
		r.awaits(own, endsWith(actors.BindingRefused))
		r.unharmed(neighbours)
		for _, s := range neighbours {
			s.Close()
		}
		r.clean()
	})
}

// A26: one bind is never answered. Its client is told within bounded time, the others of the
// connection miss nothing, newcomers are served, and the connection is closed with its last stream.
func TestA26ACallWithoutAnAnswerRetiresTheConnection(t *testing.T) {
	eachModeAside(t, settings{gated: true}, shared, func(r *rig) {
		defer r.gate.SwallowBinds("")
		const remote = "exchange/remote"
		r.declare(remote)
		r.ready(remote, "before.#").Close() // bound before, so that no scout meets the silence
		neighbours := r.neighbours(5)
		r.gate.SwallowBinds(remote)
		start := time.Now()
		waiting := r.open(remote, "#")
		r.awaits(waiting, endsWith(actors.BrokerUnavailable))
		if took := time.Since(start); took > 20*time.Second {
			r.Errorf("told after %s", took)
		}
		r.undisturbed(neighbours)
		newcomer := r.ready(exchange, "newcomer.#")
		if s := r.proxy.System.Stats(); s.LinksLost != 0 || s.LinksRetired != 1 {
			r.Errorf("%d links lost, %d retired", s.LinksLost, s.LinksRetired)
		}
		r.undisturbed(neighbours)
		for _, s := range append(neighbours, newcomer) {
			s.Close()
		}
		r.vanishes(rest{1 << 20, 1 << 20})
		r.gate.SwallowBinds("")
		r.recovers(10 * time.Second)
	})
}

// gatedDialer returns a dialer to the rig's virtual host that goes through a gate, and makes that.
func (r *rig) gatedDialer() amqp.Dialer {
	r.Helper()
	u, err := url.Parse(r.node.UserURL("scripts", "not secret", r.vhost))
	if err != nil {
		r.Fatal(err)
	}
	if r.gate, err = rabbit.NewMute(r.node.Address()); err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { r.gate.Close() })
	u.Host = r.gate.Address()
	dialer, err := amqp.NewRabbitMQ(u.String(), amqp.RabbitMQOptions{Name: r.vhost})
	if err != nil {
		r.Fatal(err)
	}
	return dialer
}

// A35: `connections` fails during a drain: every stream is told once, and the one failure costs one
// restart.
func TestA35AFailureDuringADrainCostsOneRestart(t *testing.T) {
	eachModeAside(t, settings{}, shared, func(r *rig) {
		streams := r.neighbours(20)
		drained := make(chan error, 1)
		go func() { drained <- r.proxy.System.Drain(r.Context(), 5*time.Second) }() // ends with the drain
		r.eventually("the drain has begun", func() error {
			if r.proxy.System.Stats().Ended[actors.ServerShutdown] == 0 {
				return fmt.Errorf("no stream has ended")
			}
			return nil
		})
		r.do(r.proxy.System.Crash(actors.RoleConnections, ""))
		if err := <-drained; err != nil {
			r.Error(err)
		}
		for _, s := range streams {
			r.awaits(s, func(received clients.Received) error {
				f, there, err := received.Failure()
				if !there || err != nil || (f.Code != string(actors.ServerShutdown) && f.Code != string(actors.InternalError)) {
					return fmt.Errorf("it was told %+v (%v)", f, err)
				}
				return nil
			})
		}
		if n := r.proxy.System.Stats().Restarts; n != 1 {
			r.Errorf("%d restarts for one failure", n)
		}
	})
}

// A35, the other half: the actor of the links fails twice while the broker is away. That costs two
// restarts, and the proxy recovers as ever. (That dials stay backed off is shown in package
// actors.)
func TestA35FailuresWhileTheBrokerIsAwayCostARestartEach(t *testing.T) {
	t.Parallel()
	r := onRabbitMQ(t, settings{node: alone(t)})
	r.befall("stop")
	for i := range 2 {
		r.do(r.proxy.System.Crash(actors.RoleBroker, ""))
		failed := r.proxy.System.Stats().DialsFailed
		r.eventually("it dials on", func() error {
			if s := r.proxy.System.Stats(); s.Restarts != int64(i+1) || s.DialsFailed == failed {
				return fmt.Errorf("%d restarts, %d dials have failed", s.Restarts, s.DialsFailed)
			}
			return nil
		})
	}
	r.befall("start")
	r.recovers(10 * time.Second)
	if n := r.proxy.System.Stats().Restarts; n != 2 {
		r.Errorf("%d restarts for two failures", n)
	}
}
