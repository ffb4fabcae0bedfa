package actors_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// What a host decides for each stream, and does to streams that are open.

// newSystem opens a System on a broker in memory; end closes both.
func newSystem() (broker *amqp.Memory, system *actors.System, end func()) {
	broker = amqp.NewMemory()
	system, err := actors.Open(actors.Options{Dialer: broker})
	if err != nil {
		log.Fatal(err)
	}
	return broker, system, func() {
		system.Close()
		broker.Close()
	}
}

// publish sends messages with these routing keys to amq.topic.
func publish(broker *amqp.Memory, keys ...string) {
	ctx := context.Background()
	publisher, err := broker.Publisher(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer publisher.Close()
	for _, key := range keys {
		if err := publisher.Publish(ctx, "amq.topic", key, amqp.Message{Body: []byte(`{"secret": 1}`)}); err != nil {
			log.Fatal(err)
		}
	}
}

// A filter for one user: messages of other projects are dropped, and the rest comes without its body.
// What is dropped is acknowledged in its turn.
func ExampleRequest_map() {
	broker, system, end := newSystem()
	defer end()
	stream, err := system.Connect(context.Background(), actors.Request{
		Bindings: []amqp.Binding{{Exchange: "amq.topic", Pattern: "#"}},
		Map: func(m *actors.Message) *actors.Message {
			if !strings.HasPrefix(m.RoutingKey, "ada.") {
				return nil
			}
			m.Body = []byte(`{}`)
			return m
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range stream.Events(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		switch e := event.(type) {
		case actors.Ready:
			publish(broker, "bob.done", "ada.done")
		case *actors.Message:
			fmt.Printf("%s %s\n", e.RoutingKey, e.Body)
			return
		}
	}
	// Output: ada.done {}
}

// An event of the program's own comes in its place among the others. Over HTTP it has its own name on
// the wire, and a page listens for it with addEventListener.
func ExampleStream_Send() {
	_, system, end := newSystem()
	defer end()
	stream, err := system.Connect(context.Background(), actors.Request{
		Bindings: []amqp.Binding{{Exchange: "amq.topic", Pattern: "#"}},
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := stream.Send(actors.Custom{Name: "welcome", Data: []byte(`{"build": 7}`)}); err != nil {
		log.Fatal(err)
	}
	for event, err := range stream.Events(context.Background()) {
		if err != nil {
			log.Fatal(err)
		}
		if e, ok := event.(actors.Custom); ok {
			fmt.Printf("%s %s\n", e.Name, e.Data)
			return
		}
	}
	// Output: welcome {"build":7}
}

// Streams that another part of the program has opened, such as an HTTP handler, are reached by their
// subject.
func ExampleSystem_Send() {
	_, system, end := newSystem()
	defer end()
	stream, err := system.Connect(context.Background(), actors.Request{
		Bindings: []amqp.Binding{{Exchange: "amq.topic", Pattern: "#"}},
		Subject:  "ada",
	})
	if err != nil {
		log.Fatal(err)
	}
	defer stream.Close()
	count, err := system.Send(actors.BySubject("ada"), actors.Custom{Name: "notice", Data: []byte(`"at noon"`)})
	fmt.Println(count, err)
	// Output: 1 <nil>
}

// A user's access is taken away: no message that waits is read any more.
func ExampleSystem_End() {
	_, system, end := newSystem()
	defer end()
	stream, err := system.Connect(context.Background(), actors.Request{
		Bindings: []amqp.Binding{{Exchange: "amq.topic", Pattern: "#"}},
		Subject:  "ada",
	})
	if err != nil {
		log.Fatal(err)
	}
	count, err := system.End(actors.BySubject("ada"), nil)
	fmt.Println(count, err)
	for _, err := range stream.Events(context.Background()) {
		if err != nil {
			fmt.Println(actors.CodeOf(err))
		}
	}
	// Output:
	// 1 <nil>
	// AccessRevoked
}

// A program that must not start without its broker waits for it, as long as it likes.
func ExampleSystem_Ready() {
	broker := amqp.NewMemory()
	defer broker.Close()
	broker.Stop()
	system, err := actors.Open(actors.Options{Dialer: broker})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close()
	fmt.Println("up:", system.Health().BrokerUp)
	broker.Start()
	err = system.Ready(context.Background())
	fmt.Println("up:", system.Health().BrokerUp, err)
	// Output:
	// up: false
	// up: true <nil>
}

// A span for each stream, here printed: OnOpen starts it and returns the context that carries it,
// OnEnd ends it. A slog handler that adds a context's trace adds it to the stream's log lines.
func ExampleOptions_hooks() {
	type span struct{}
	broker := amqp.NewMemory()
	defer broker.Close()
	system, err := actors.Open(actors.Options{
		Dialer: broker,
		OnOpen: func(ctx context.Context, s actors.StreamState) context.Context {
			return context.WithValue(ctx, span{}, "stream of "+s.Subject)
		},
		OnEnd: func(ctx context.Context, e actors.StreamEnd) {
			fmt.Println(ctx.Value(span{}), "ended:", e.Code)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	stream, err := system.Connect(context.Background(), actors.Request{
		Bindings: []amqp.Binding{{Exchange: "amq.topic", Pattern: "#"}},
		Subject:  "ada",
	})
	if err != nil {
		log.Fatal(err)
	}
	stream.Close()
	system.Close() // waits for the hooks
	// Output: stream of ada ended: ClientGone
}
