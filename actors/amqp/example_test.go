package amqp_test

import (
	"context"
	"fmt"
	"log"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// A stream's whole life on a broker: a queue of its own, bindings, deliveries,
// acknowledgements. The same calls work on RabbitMQ.
func ExampleNewMemory() {
	ctx := context.Background()
	broker := amqp.NewMemory()
	defer broker.Close()

	publisher, err := broker.Publisher(ctx)
	if err != nil {
		log.Fatal(err)
	}
	publisher.Declare(ctx, "exchange/tasks", "topic")

	link, err := broker.Dial(ctx)
	if err != nil {
		log.Fatal(err)
	}
	channel, err := link.Channel()
	if err != nil {
		log.Fatal(err)
	}
	defer channel.Close()
	queue := amqp.QueueName("ada")
	channel.Declare(queue, amqp.QueueLimits{})
	channel.Consume(queue, 10)
	channel.Bind(queue, amqp.Binding{Exchange: "exchange/tasks", Pattern: "primary.#"})

	publisher.Publish(ctx, "exchange/tasks", "primary.a.b", amqp.Message{Body: []byte(`{"state":"done"}`)})

	delivery, err := channel.Next(nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(delivery.RoutingKey, string(delivery.Body))
	channel.Acknowledge(delivery.Tag)
	// Output: primary.a.b {"state":"done"}
}

// A refused operation is recognised by its kind; the code is AMQP's.
func ExampleKindOf() {
	broker := amqp.NewMemory()
	defer broker.Close()
	link, err := broker.Dial(context.Background())
	if err != nil {
		log.Fatal(err)
	}
	channel, err := link.Channel()
	if err != nil {
		log.Fatal(err)
	}
	channel.Declare("queue", amqp.QueueLimits{})
	err = channel.Bind("queue", amqp.Binding{Exchange: "exchange/missing", Pattern: "#"})
	fmt.Println(amqp.KindOf(err))
	fmt.Println(err)
	// Output:
	// refused
	// bind "exchange/missing": refused: no exchange 'exchange/missing'
}

// Tests wait for what they look at, not for time to pass.
func ExampleMemory_Await() {
	broker := amqp.NewMemory()
	defer broker.Close()
	go broker.Dial(context.Background())

	err := broker.Await(context.Background(), func() bool { return broker.Links() == 1 })
	fmt.Println(err)
	// Output: <nil>
}

// Which messages a binding asks for, without a broker: for a program that sends what it has at hand
// before a stream begins.
func ExampleBinding_Matches() {
	b := amqp.Binding{Exchange: "exchange/tasks", Pattern: "primary.*.done"}
	fmt.Println(b.Matches("primary.a.done"), b.Matches("primary.a.b.done"))
	// Output: true false
}

// Whether a client may have what it asks for, where its right is a pattern, too.
func ExampleBinding_Covers() {
	may := amqp.Binding{Exchange: "exchange/tasks", Pattern: "ada.#"}
	fmt.Println(may.Covers(amqp.Binding{Exchange: "exchange/tasks", Pattern: "ada.*.done"}))
	fmt.Println(may.Covers(amqp.Binding{Exchange: "exchange/tasks", Pattern: "#.done"}))
	// Output:
	// true
	// false
}
