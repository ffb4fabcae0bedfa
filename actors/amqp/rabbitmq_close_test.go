package amqp_test

import (
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// Closing a link asks for the broker's consent, and goes without it when its patience is over. The
// heartbeat, which would end the link too, is far longer here.
func TestALinkToASilentBrokerCloses(t *testing.T) {
	node := rabbit.Run(t)
	r, err := amqp.NewRabbitMQ(node.URL(), amqp.RabbitMQOptions{Heartbeat: time.Minute})
	must(t, err)
	w := newWorld(t, r)
	must(t, node.Freeze())
	defer node.Thaw()
	closed := make(chan error, 1)
	go func() { closed <- w.link.Close(50 * time.Millisecond) }() // ends with the heartbeat at the latest
	select {
	case err := <-closed:
		isKind(t, err, amqp.LinkLost)
	case <-bounded(t).Done():
		t.Fatal("the link waits for a broker that is silent")
	}
	must(t, w.link.Err())
	isKind(t, ends(t, w.channel), amqp.LinkLost)
	must(t, w.channel.Close())
}
