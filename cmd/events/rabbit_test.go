package main

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// aStream asks for everything of one exchange.
func aStream(exchange string) string {
	return "/api/events/v1/connect/?bindings=" + url.QueryEscape(fmt.Sprintf(`{"bindings":[{"exchange":%q,"routingKeyPattern":"#"}]}`, exchange))
}

// publisher returns a publisher to the test's broker, as its administrator.
func publisherOn(t *testing.T, node *rabbit.Node, exchange string) amqp.Publisher {
	t.Helper()
	broker, err := amqp.NewRabbitMQ(node.URL(), amqp.RabbitMQOptions{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := broker.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	if err := p.Declare(t.Context(), exchange, "topic"); err != nil {
		t.Fatal(err)
	}
	return p
}

// A user with no more rights than Pulse grants serves a hundred streams; after SIGTERM each has its
// messages and its reason, and the broker has nothing left.
func TestServeWithTheRightsOfPulse(t *testing.T) {
	const exchange, streams = "exchange/pulse/v1/test", 100
	node := rabbit.Broker(t)
	must(t, node.AddUser(t.Context(), "ada", "hunter2"))
	must(t, node.SetPermissions(t.Context(), "ada", "/", rabbit.PulseUser("ada")))
	publisher := publisherOn(t, node, exchange)
	events := start(t, []string{"PULSE_URL=" + node.UserURL("ada", "hunter2", "/"), "PORT=0", "DEBUG=events:*"}, "serve")
	events.says("broker link up")

	heard := make(chan []string, streams)
	ready := make(chan struct{}, streams)
	for range streams {
		body := events.open(aStream(exchange)).Body
		go func() { // ends with the stream
			heard <- listenTo(body, ready)
			body.Close()
		}()
	}
	for range streams {
		<-ready
	}
	queues, err := node.Snapshot(t.Context())
	if err != nil || queues.QueuesOf("queue/ada/exclusive/") != streams {
		t.Errorf("%d queues of ada, want %d (%v)", queues.QueuesOf("queue/ada/exclusive/"), streams, err)
	}
	for n := range 3 {
		must(t, publisher.Publish(t.Context(), exchange, "a.b", amqp.Message{Body: fmt.Appendf(nil, `%d`, n)}))
	}
	events.signal(syscall.SIGTERM)
	for range streams {
		if got := strings.Join(<-heard, " "); !strings.HasPrefix("0 1 2 ServerShutdown", strings.TrimSuffix(got, "ServerShutdown")) || !strings.HasSuffix(got, "ServerShutdown") {
			t.Errorf("a stream heard %q", got)
		}
	}
	events.ends(succeeded)
	must(t, node.Clean(t.Context(), "queue/ada/", 1)) // the publisher's
	if out := events.out.String(); strings.Contains(out, "hunter2") {
		t.Errorf("the password is printed:\n%s", out)
	}
}

// listenTo returns the payloads that a stream brings, and the code of its error. It sends to ready
// once: when the stream is, or when it has ended without.
func listenTo(body io.Reader, ready chan<- struct{}) (heard []string) {
	tell := sync.OnceFunc(func() { ready <- struct{}{} })
	defer tell()
	for f := range frames(body) {
		_, rest, _ := strings.Cut(f.data, `:`)
		switch word, _, _ := strings.Cut(rest, ","); f.name {
		case "ready":
			tell()
		case "message": // {"payload":2,…
			heard = append(heard, word)
		case "error": // {"code":"ServerShutdown",…
			heard = append(heard, strings.Trim(word, `"`))
		}
	}
	return heard
}

// The broker may come after the proxy, go, and come back: the proxy needs no restart, and its
// readiness follows.
func TestReadinessFollowsTheBroker(t *testing.T) {
	const exchange = "exchange/pulse/v1/again"
	node := rabbit.Run(t)
	must(t, node.Stop(t.Context()))
	events := start(t, []string{"PULSE_URL=" + node.URL(), "PORT=0"}, "serve")
	for range 2 {
		events.untilReadinessIs(503)
		if _, body := events.get(aStream(exchange)); !strings.Contains(body, "BrokerUnavailable") {
			t.Errorf("without a broker a stream says %s", body)
		}
		must(t, node.Start(t.Context()))
		events.untilReadinessIs(200)
		publisherOn(t, node, exchange)
		stream := events.open(aStream(exchange))
		ready := make(chan struct{}, 1)
		heard := make(chan []string, 1)
		go func() { heard <- listenTo(stream.Body, ready) }() // ends with the stream
		<-ready
		must(t, node.Kill())
		if got := <-heard; len(got) != 1 || got[0] != "BrokerLost" {
			t.Errorf("the stream heard %v, want BrokerLost", got)
		}
		stream.Body.Close()
	}
	events.signal(syscall.SIGTERM)
	events.ends(succeeded)
}

// untilReadinessIs waits for a status of the heartbeat.
func (in *instance) untilReadinessIs(want int) {
	in.t.Helper()
	ctx, cancel := context.WithTimeout(in.t.Context(), patience)
	defer cancel()
	for {
		status, body := in.get("/__heartbeat__")
		if status == want {
			return
		}
		select {
		case <-ctx.Done():
			in.t.Fatalf("/__heartbeat__ is still %d: %s", status, body)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
