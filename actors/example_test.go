package actors_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A Go program without HTTP: open a System on a broker, connect, and range over
// the events. This broker lives in the process; amqp.NewRabbitMQ dials a real one.
func ExampleSystem_Connect() {
	ctx := context.Background()
	broker := amqp.NewMemory()
	defer broker.Close()
	publisher, err := broker.Publisher(ctx)
	if err != nil {
		log.Fatal(err)
	}
	if err := publisher.Declare(ctx, "exchange/queue/v1/task-completed", "topic"); err != nil {
		log.Fatal(err)
	}

	system, err := actors.Open(actors.Options{Dialer: broker})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close()

	stream, err := system.Connect(ctx, actors.Request{Bindings: []amqp.Binding{
		{Exchange: "exchange/queue/v1/task-completed", Pattern: "primary.#"},
	}})
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range stream.Events(ctx) {
		if err != nil {
			log.Fatal(err) // why the stream has ended, an *actors.Error
		}
		switch e := event.(type) {
		case actors.Ping: // the stream is alive
		case actors.Ready: // from now on nothing is missed
			fmt.Println("ready")
			err := publisher.Publish(ctx, "exchange/queue/v1/task-completed", "primary.abc", amqp.Message{Body: []byte(`{ "taskId": "abc" }`)})
			if err != nil {
				log.Fatal(err)
			}
		case *actors.Message:
			fmt.Println(e.RoutingKey)
			fmt.Printf("%s\n", e.JSON)
			return // leaving the loop closes the stream
		}
	}
	// Output:
	// ready
	// primary.abc
	// {"payload":{"taskId":"abc"},"exchange":"exchange/queue/v1/task-completed","routingKey":"primary.abc","redelivered":false,"routes":[]}
}

// What goes wrong after Connect is told at the stream's end.
func ExampleStream_Events() {
	broker := amqp.NewMemory()
	defer broker.Close()
	system, err := actors.Open(actors.Options{Dialer: broker})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close()
	stream, err := system.Connect(context.Background(), actors.Request{Bindings: []amqp.Binding{{Exchange: "exchange/none", Pattern: "#"}}})
	if err != nil {
		log.Fatal(err) // what is wrong with the request itself
	}
	for _, err := range stream.Events(context.Background()) {
		var why *actors.Error
		if errors.As(err, &why) {
			fmt.Println(why.Code, "retryable:", why.Code.Retryable())
			fmt.Println(why.Reason)
		}
	}
	// Output:
	// BindingRefused retryable: false
	// The exchange "exchange/none" does not exist
}

// Open names everything that is wrong with its options.
func ExampleOpen() {
	_, err := actors.Open(actors.Options{Limits: actors.Limits{Prefetch: 100_000, Streams: -1}})
	fmt.Println(err)
	// Output:
	// actors: Dialer is missing
	// Limits.Streams is negative
	// Limits.Prefetch or FeedPrefetch is over 65535, AMQP's limit
}

// hostActor is an actor of a program that has an actor system of its own. The
// System lives below it: it ends with it, and is opened anew when the host's
// supervision restarts it.
type hostActor struct {
	broker amqp.Dialer
	opened chan<- *actors.System
}

func (h hostActor) Receive(ctx actor.Context) {
	if _, ok := ctx.Message().(*actor.Started); ok {
		system, err := actors.Open(actors.Options{Dialer: h.broker, Parent: ctx})
		if err != nil {
			panic(err) // to the host's supervision
		}
		h.opened <- system
	}
}

// newHost makes the host's own actor system, which logs nothing here.
func newHost() *actor.ActorSystem {
	return actor.NewActorSystem(
		actor.WithLoggerFactory(func(*actor.ActorSystem) *slog.Logger { return slog.New(slog.DiscardHandler) }),
		actor.WithDeadLetterThrottleInterval(time.Millisecond), // by default a goroutine counts them for a second
	)
}

// Inside a host's actor system, below one of its actors.
func ExampleOptions_parent() {
	broker := amqp.NewMemory()
	defer broker.Close()
	host := newHost()
	defer host.Shutdown()

	opened := make(chan *actors.System, 1) // one: the actor must not wait for us
	parent := host.Root.SpawnPrefix(actor.PropsFromProducer(func() actor.Actor {
		return hostActor{broker: broker, opened: opened}
	}), "host")
	system := <-opened
	if err := system.Close(); err != nil { // the host goes on
		log.Fatal(err)
	}
	fmt.Println("closed, err:", system.Err())
	if err := host.Root.StopFuture(parent).Wait(); err != nil {
		log.Fatal(err)
	}
	// Output:
	// closed, err: <nil>
}

// Anything that implements amqp.Dialer is a broker: a fake, another protocol, or, as here, one that
// looks on.
func ExampleOptions_dialer() {
	ctx := context.Background()
	logged := amqp.Wrap(amqp.NewMemory(), amqp.Hooks{Bind: func(b amqp.Binding) (amqp.Binding, error) {
		fmt.Println("bind", b)
		return b, nil
	}})
	system, err := actors.Open(actors.Options{Dialer: logged, NoScouts: true})
	if err != nil {
		log.Fatal(err)
	}
	defer system.Close()
	stream, err := system.Connect(ctx, actors.Request{Bindings: []amqp.Binding{{Exchange: "amq.topic", Pattern: "a.*"}}})
	if err != nil {
		log.Fatal(err)
	}
	for event, err := range stream.Events(ctx) {
		if err != nil {
			log.Fatal(err)
		}
		if _, ok := event.(actors.Ready); ok {
			fmt.Println("ready")
			break
		}
	}
	// Output:
	// bind "amq.topic" "a.*"
	// ready
}
