package clients_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/http/proxytest"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

const exchange = "exchange/tc/task"

// One stream's worth of everything: whichever client an application has chosen,
// it reads the same events, stops at the 204 and does not come back.
func TestAllClientsReadTheSameEvents(t *testing.T) {
	broker, running := start(t)
	url := running.URL + script.ConnectPath + "?" + script.Query(exchange, "#")
	ours := open(t, url)
	readings := readers(t, url)
	awaitConsumers(t, broker, 1+len(readings))

	publishVariety(t, broker)
	within(t, "our own client to have all messages", func(ctx context.Context) error {
		return ours.Wait(ctx, atLeast(len(variety)))
	})
	awaitEmpty(t, running, len(variety)*(1+len(readings)))
	broker.DropLinks() // every stream ends with BrokerLost

	within(t, "our own client to be told the end", func(ctx context.Context) error { return ours.Wait(ctx, hasEnded) })
	if err := ours.Received().Check(); err != nil {
		t.Error(err)
	}
	want := lines(ours.Received().Events)
	for name, reading := range readings {
		if got := lines(reading.wait(t, name)); !slices.Equal(got, want) {
			t.Errorf("%s has read\n%s\nand our own client\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}

// variety is what trips readers of event streams: bodies that are no JSON, empty
// ones, line ends of every kind, text beyond ASCII, something that looks like a
// frame, a large body, and CC routes.
var variety = []amqp.Message{
	{Body: []byte(`{"status": {"state": "completed", "runs": [1, 2.50, 1e400]}}`)},
	{Body: []byte("{\n  \"pretty\": [\r\n    \"printed\"\r  ]\n}")},
	{Body: []byte("plain text\nwith a second line\r\n\r\nevent: error\ndata: {}\n\n")},
	{Body: nil},
	{Body: []byte{0xff, 0x00, 0xfe}},
	{Body: []byte("{\"text\": \"\u2028\u2029 \\u0000 \u00e9\u6f22\U0001f600 </script> :\"}")},
	{Body: []byte(`{"pad": "` + strings.Repeat("0123456789", 20_000) + `"}`)},
	{Body: []byte(`{"routed": true}`), CC: []string{"route.project.foo", "other", "route.index.bar"}},
}

func publishVariety(t *testing.T, broker *amqp.Memory) {
	t.Helper()
	publisher, err := broker.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()
	for i, m := range variety {
		if err := publisher.Publish(t.Context(), exchange, fmt.Sprintf("primary.%d", i), m); err != nil {
			t.Fatal(err)
		}
	}
}

// lines returns the events for comparison. Pings are told apart by their time.
func lines(events []clients.Event) (out []string) {
	for _, e := range events {
		if e.Name != "ping" {
			out = append(out, fmt.Sprintf("%s %s %s", e.Name, e.ID, e.Data))
		}
	}
	return out
}

func start(t *testing.T) (*amqp.Memory, *proxytest.Proxy) {
	t.Helper()
	broker := amqp.NewMemory()
	t.Cleanup(func() { broker.Close() })
	declare(t, broker)
	running, err := proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: broker, IgnoreDrops: true}}) // each consumer is a stream's
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { running.Close() })
	return broker, running
}

func declare(t *testing.T, broker *amqp.Memory) {
	t.Helper()
	publisher, err := broker.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()
	if err := publisher.Declare(t.Context(), exchange, "topic"); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, url string) *clients.Stream {
	t.Helper()
	s, err := clients.Open(t.Context(), url, clients.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func atLeast(messages int) func(clients.Received) error {
	return func(r clients.Received) error {
		if r.Messages < messages {
			return fmt.Errorf("%d of %d messages have come", r.Messages, messages)
		}
		return nil
	}
}

func hasEnded(r clients.Received) error {
	if !r.Ended {
		return fmt.Errorf("the answer goes on")
	}
	return nil
}

// awaitConsumers waits until every client's stream consumes.
func awaitConsumers(t *testing.T, broker *amqp.Memory, n int) {
	t.Helper()
	within(t, fmt.Sprintf("%d consumers", n), func(ctx context.Context) error {
		return broker.Await(ctx, func() bool { return broker.Consumers() == n })
	})
}

// awaitEmpty waits until n deliveries have been taken from the broker.
func awaitEmpty(t *testing.T, running *proxytest.Proxy, n int) {
	t.Helper()
	within(t, fmt.Sprintf("%d deliveries", n), func(ctx context.Context) error {
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for running.System.Stats().Messages < int64(n) {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
}

func within(t *testing.T, what string, wait func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := wait(ctx); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

func decodeLine(line string) (e clients.Event, err error) {
	return e, json.Unmarshal([]byte(line), &e)
}
