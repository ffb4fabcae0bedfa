package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/script"
)

// A17: bodies that are no JSON are delivered in their documented form and
// counted; the stream goes on, and each is acknowledged once.
func TestA17BodiesThatAreNoJSONAreDeliveredAndCounted(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	s := r.ready(exchange, "#")
	publisher := r.publisher()
	bodies := []struct{ body, payload, encoding string }{
		{`{"a":  1.50}`, `{"a":1.50}`, ""},
		{`not json`, `"not json"`, "utf-8"},
		{``, `""`, "utf-8"},
		{`{"a":1} {"b":2}`, `"{\"a\":1} {\"b\":2}"`, "utf-8"},
		{"\xff\xfe\x00", `"//4A"`, "base64"},
		{"[1,\n2]", `[1,2]`, ""},
		{`"text"`, `"text"`, ""},
	}
	for _, b := range bodies {
		if err := script.Taken(publisher.Publish(t.Context(), exchange, "k", amqp.Message{Body: []byte(b.body)})); err != nil {
			t.Fatal(err)
		}
	}
	publisher.Close()
	r.awaits(s, messages(len(bodies)))
	for i, b := range bodies {
		m, err := s.Received().Message(i)
		if err != nil || string(m.Payload) != b.payload || m.PayloadEncoding != b.encoding {
			t.Errorf("%q has come as %s, encoding %q (%v)", b.body, m.Payload, m.PayloadEncoding, err)
		}
	}
	stats := r.proxy.System.Stats()
	if stats.Messages != int64(len(bodies)) || stats.Redelivered != 0 {
		t.Errorf("%d messages were delivered, %d of them again", stats.Messages, stats.Redelivered)
	}
	if stats.Payloads["utf-8"] != 3 || stats.Payloads["base64"] != 1 {
		t.Errorf("the counts are %v", stats.Payloads)
	}
	s.Close()
	r.clean()
}

// A18: a message of ten megabytes arrives whole; memory is back afterwards.
func TestA18LargeMessageArrivesWhole(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	before := heap()
	body, err := json.Marshal(map[string]string{"pad": string(bytes.Repeat([]byte("0123456789"), 1<<20))})
	if err != nil {
		t.Fatal(err)
	}
	s := r.ready(exchange, "#")
	publisher := r.publisher()
	for _, b := range [][]byte{body, []byte(`{"small":true}`)} {
		if err := script.Taken(publisher.Publish(t.Context(), exchange, "k", amqp.Message{Body: b})); err != nil {
			t.Fatal(err)
		}
	}
	publisher.Close()
	r.awaits(s, messages(2))
	if m, err := s.Received().Message(0); err != nil || !bytes.Equal(m.Payload, body) {
		t.Errorf("the large one has come with %d of %d bytes (%v)", len(m.Payload), len(body), err)
	}
	kept := uint64(len(s.Received().Events[2].Data)) // by the client of this process
	s.Close()
	r.clean()
	if most := before + 2*kept + 16<<20; heap() > most {
		t.Errorf("%d MiB are in use, and were %d before", heap()>>20, before>>20)
	}
}

// A18, a variant: a message over the limit is announced, never half there, and
// the stream goes on.
func TestA18MessageOverTheLimitIsAnnounced(t *testing.T) {
	r := onRabbitMQ(t, settings{limits: actors.Limits{MessageBytes: 1 << 10}})
	s := r.ready(exchange, "#")
	r.publish(1, 1, 4<<10)
	r.publish(2, 1, 10)
	r.awaits(s, messages(2))
	m, err := s.Received().Message(0)
	if err != nil || string(m.Payload) != "null" || m.PayloadEncoding != "omitted" || m.PayloadBytes < 4<<10 {
		t.Errorf("the message over the limit has come as %+v (%v)", m, err)
	}
	s.Close()
	r.clean()
}

// A25: headers that are wider than a frame, as only other protocols can send them, arrive with
// their message; the link lives, and streams that never bound the key do not notice.
func TestA25HeadersWiderThanAFrameArrive(t *testing.T) {
	node, err := rabbit.StartManagedNode(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { node.Close() })
	brokers, err := script.RabbitMQ(t.Context(), node)
	if err != nil {
		t.Fatal(err)
	}
	management, err := rabbit.NewManagement(node.ManagementURL())
	if err != nil {
		t.Fatal(err)
	}
	r := on(t, brokers, settings{node: node})
	meant, other := r.ready(exchange, "wide.#"), r.ready(exchange, "primary.#")
	routes, cc := make([]string, 9000), make([]string, 9000)
	for i := range routes {
		routes[i] = fmt.Sprintf("of.twenty.bytes.%05d", i)
		cc[i] = "route." + routes[i]
	}
	for i, headers := range []map[string]any{
		{"x": strings.Repeat("x", 200<<10)},
		{"CC": cc},
		{"x": strings.Repeat("x", 200<<10), "CC": []string{"route.a", "route.b"}},
	} {
		if err := management.Publish(t.Context(), t.Name(), exchange, "wide.headers", headers, fmt.Sprint(i)); err != nil {
			t.Fatal(err)
		}
	}
	r.awaits(meant, messages(3))
	for i, want := range [][]string{nil, routes, {"a", "b"}} {
		m, err := meant.Received().Message(i)
		if err != nil || string(m.Payload) != fmt.Sprint(i) || !slices.Equal(m.Routes, want) {
			t.Errorf("message %d has come as %s with %d routes (%v)", i, m.Payload, len(m.Routes), err)
		}
	}
	r.publish(1, 1, 10)
	r.awaits(other, messages(1))
	meant.Close()
	other.Close()
	r.clean()
}
