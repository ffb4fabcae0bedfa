package faults

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// A13: when the broker dies, every stream is told within five seconds, and who
// comes back is told to stay away; within ten seconds of the broker's return new
// streams work, without a restart of ours.
func TestA13KilledBrokerEndsEveryStreamAndNewOnesWorkWhenItIsBack(t *testing.T) {
	for _, fault := range []string{"kill", "stop"} {
		t.Run(fault, func(t *testing.T) {
			r := onRabbitMQ(t, settings{})
			streams := r.crowd(50, exchange, "#")
			r.befall(fault)
			r.within(5*time.Second, "every stream is told", func() error { return all(streams, endsWith(actors.BrokerLost)) })
			r.staysAway(script.Query(exchange, "#"))
			r.befall("start")
			r.recovers(10 * time.Second)
			r.clean()
		})
	}
}

// A14: the proxy starts without a broker, reports that where it is asked, tells
// streams at once, and recovers by itself.
func TestA14BrokerDownAtStartIsToldAndRecoveredFrom(t *testing.T) {
	t.Parallel()
	r := onRabbitMQ(t, settings{node: alone(t), down: true})
	for range 20 {
		s := r.open(exchange, "#")
		r.awaits(s, endsWith(actors.BrokerUnavailable))
		if first := s.Received().Events[0]; first.Name != "ping" || first.ID != "-" {
			t.Fatalf("the first event is %+v: a browser would come back for ever", first)
		}
	}
	r.staysAway(script.Query(exchange, "#"))
	r.answers("/__lbheartbeat__", 200)
	r.answers("/__heartbeat__", 503)
	r.befall("start")
	r.recovers(10 * time.Second)
	r.answers("/__heartbeat__", 200)
	r.vanishes(rest{1 << 20, 1 << 20})
}

// A15: a queue that an administrator deletes ends its stream, which says so; it
// is not made again behind anybody's back.
func TestA15DeletedQueueEndsItsStreamAndIsNotMadeAgain(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	streams := r.crowd(10, exchange, "#")
	before := r.opened()
	r.befall("delete-queues")
	for _, s := range streams {
		r.awaits(s, endsWith(actors.QueueDeleted))
	}
	r.clean()
	if after := r.opened(); after != before {
		t.Errorf("%d channels were opened since", after-before)
	}
}

// A15, a variant: a channel that the broker closes, by an administrator's word.
func TestA15ClosedChannelEndsItsStreamAndNoOther(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	streams := r.crowd(10, exchange, "#")
	links := r.proxy.Ledger.Links.Load()
	r.befall("close-channels")
	for _, s := range streams {
		r.awaits(s, endsWith(actors.BrokerLost))
	}
	r.recovers(5 * time.Second)
	if r.proxy.Ledger.Links.Load() != links {
		t.Errorf("the link was given up for its channels")
	}
	r.clean()
}

// A16: a broker that falls silent with its sockets open is given up within two
// heartbeats; pings go on until then, and nothing is left after the thaw.
func TestA16FrozenBrokerIsGivenUpWithinTwoHeartbeats(t *testing.T) {
	r := onRabbitMQ(t, settings{ping: 500 * time.Millisecond})
	streams := r.crowd(20, exchange, "#")
	r.befall("freeze")
	pings := streams[0].Received().Count("ping")
	r.awaits(streams[0], func(received clients.Received) error {
		if received.Count("ping") < pings+5 {
			return fmt.Errorf("the pings have stopped")
		}
		return nil
	})
	r.within(10*time.Second, "every stream is told", func() error { return all(streams, endsWith(actors.BrokerLost)) })
	late := r.open(exchange, "#")
	r.awaits(late, endsWith(actors.BrokerUnavailable))
	r.befall("thaw")
	r.recovers(10 * time.Second)
	r.clean()
}

// recovers: within the limit a new stream is ready and receives a message.
func (r *rig) recovers(limit time.Duration) {
	r.Helper()
	r.declare(exchange) // what is not durable is gone with the broker
	r.within(limit, "a new stream works", func() error {
		ctx, cancel := context.WithTimeout(r.Context(), limit)
		defer cancel()
		s, err := clients.Open(ctx, r.proxy.URL+script.ConnectPath+"?"+script.Query(exchange, "#"), clients.Options{})
		if err != nil {
			return err
		}
		defer s.Close()
		if err := s.Wait(ctx, isReady); err != nil {
			return err
		}
		r.publish(1, 1, 0)
		return s.Wait(ctx, messages(1))
	})
}

// answers checks the status of a path.
func (r *rig) answers(path string, status int) {
	r.Helper()
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	response, err := (&http.Client{Transport: transport, Timeout: 10 * time.Second}).Get(r.proxy.URL + path)
	if err != nil {
		r.Fatal(err)
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	if response.StatusCode != status {
		r.Errorf("%s answers %d, not %d: %s", path, response.StatusCode, status, body)
	}
}

// all asks the same of every stream.
func all(streams []*clients.Stream, lacks func(clients.Received) error) error {
	for i, s := range streams {
		if err := lacks(s.Received()); err != nil {
			return fmt.Errorf("stream %d: %w", i, err)
		}
	}
	return nil
}
