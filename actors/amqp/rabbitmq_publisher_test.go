package amqp_test

import (
	"testing"

	"github.com/rabbitmq/amqp091-go"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// A message that one queue does not take is not refused: the other queues have it, nothing ended,
// and the publisher goes on. Here a queue is full; one that is deleted meanwhile has the same
// effect.
func TestAMessageThatAQueueDoesNotTakeIsNotRefused(t *testing.T) {
	node := rabbit.Run(t)
	w := newWorld(t, dialer(t, node.URL()))
	connection, err := amqp091.Dial(node.URL())
	must(t, err)
	defer connection.Close()
	raw, err := connection.Channel()
	must(t, err)
	full, err := raw.QueueDeclare("", false, true, true, false, amqp091.Table{"x-max-length": 1, "x-overflow": "reject-publish"})
	must(t, err)
	must(t, raw.QueueBind(full.Name, "#", w.exchange, false, nil))
	// A queue takes a little more than its limit before it rejects.
	rejected := false
	for range 100 {
		err := w.publisher.Publish(bounded(t), w.exchange, "a", amqp.Message{Body: []byte("x")})
		must(t, w.channel.Acknowledge(next(t, w.channel).Tag)) // it has come here in any case
		if err != nil {
			isKind(t, err, amqp.Nacked)
			rejected = true
		}
	}
	if !rejected {
		t.Error("every message was taken")
	}
	_, err = raw.QueueDelete(full.Name, false, false, false)
	must(t, err)
	must(t, w.publisher.Publish(bounded(t), w.exchange, "a", amqp.Message{}))
}
