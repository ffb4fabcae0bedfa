package chaos_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/chaos"
)

// What a proxy leaves on a broker that others run is found, and what was there
// before, or belongs to another user, is not held against it.
func TestWhatIsLeftOnABrokerOfOthersIsFound(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	node, err := rabbit.StartManagedNode(ctx, t.TempDir())
	must(t, err)
	t.Cleanup(func() { node.Close() })
	management, err := rabbit.NewManagement(node.ManagementURL())
	must(t, err)
	site := chaos.Attached{Broker: node.URL(), Management: management, Namespace: "ours"}
	hold := func(program, queue string) {
		dialer, err := amqp.NewRabbitMQ(node.URL(), amqp.RabbitMQOptions{Name: program})
		must(t, err)
		link, err := dialer.Dial(ctx)
		must(t, err)
		t.Cleanup(func() { link.Close(time.Second) })
		channel, err := link.Channel()
		must(t, err)
		must(t, channel.Declare(queue, amqp.QueueLimits{}))
		must(t, channel.Consume(queue, 1))
	}

	hold("events-proxy other", amqp.QueueName("other"))
	before, err := site.Census(ctx)
	must(t, err)
	evidence, err := site.Settled(ctx, before)
	must(t, err)
	if !strings.Contains(evidence, "0 queues, 0 consumers, 0 bindings, 0 channels left (by the broker's account)") {
		t.Error(evidence)
	}

	hold("events-proxy ours", amqp.QueueName("ours"))
	short, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	if evidence, err := site.Settled(short, before); err == nil || !strings.Contains(err.Error(), "left on the broker: {Queues:1") {
		t.Errorf("%s, %v", evidence, err)
	}
	for before.Consumers == 0 || before.Channels == 0 { // the plugin's statistics lag behind
		must(t, ctx.Err())
		before, err = site.Census(ctx)
		must(t, err)
	}
	evidence, err = site.Settled(ctx, before)
	must(t, err)
	if !strings.Contains(evidence, "no more left than before") {
		t.Error(evidence)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
