package rabbit_test

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// A program starts a private node and ends it; it dies with the program in any case. Tests call Run
// or Broker, which share one node in a package.
func ExampleStartNode() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "node")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	node, err := rabbit.StartNode(ctx, dir)
	if err != nil {
		log.Fatal(err)
	}
	defer node.Close()
	broker, err := amqp.NewRabbitMQ(node.URL(), amqp.RabbitMQOptions{})
	if err != nil {
		log.Fatal(err)
	}
	link, err := broker.Dial(ctx)
	if err != nil {
		log.Fatal(err)
	}
	defer link.Close(time.Second)
}
