package brokertest_test

import (
	"context"
	"fmt"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest"
)

// A test of any program that consumes: the broker drops its links in the middle, and
// in the end nothing may be left. In a real test t is the *testing.T.
func ExampleClean() {
	t := &recorder{} // prints nothing, and ends when it is told to
	broker := amqp.NewMemory()
	brokertest.Clean(brief{t}, brokertest.Memory(broker))

	link, _ := broker.Dial(context.Background())
	channel, _ := link.Channel()
	channel.Declare("queue/example/1", amqp.QueueLimits{})
	broker.DropLinks() // the fault: the queue goes with its link
	<-link.Lost()

	again, _ := broker.Dial(context.Background()) // the program under test dials again, and forgets it
	defer again.Close(time.Second)

	t.end()
	fmt.Println(t.said)
	// Output:
	// the test has not cleaned up:
	// 1 connections left: connection 1
}
