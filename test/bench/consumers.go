package bench

import (
	"fmt"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Consumers is the least that could take part in dedicated mode: n queues with
// a channel and a consumer each, in the proxy's way (500 channels a link,
// prefetch 50, half a window acknowledged at once), that drop what they get. It
// says how many messages came, in lines, until the process ends.
func Consumers(broker string, n int) error {
	var received atomic.Int64
	var link *amqp091.Connection
	for i := range n {
		if i%amqp.ChannelsPerLink == 0 {
			var err error
			if link, err = amqp091.Dial(broker); err != nil {
				return err
			}
		}
		if err := consume(link, &received); err != nil {
			return err
		}
	}
	fmt.Println("listening on nothing")
	for last := int64(0); ; time.Sleep(time.Millisecond) {
		if now := received.Load(); now != last {
			last = now
			fmt.Println(now)
		}
	}
}

// prefetch is what the proxy's dedicated queues have.
const prefetch = 50

func consume(link *amqp091.Connection, received *atomic.Int64) error {
	channel, err := link.Channel()
	if err != nil {
		return err
	}
	queue := amqp.QueueName("guest")
	if _, err := channel.QueueDeclare(queue, false, true, true, false, amqp091.Table(amqp.QueueArguments(amqp.QueueLimits{}))); err != nil {
		return err
	}
	if err := channel.QueueBind(queue, bareTopic, Exchange, false, nil); err != nil {
		return err
	}
	if err := channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	deliveries, err := channel.Consume(queue, "", false, true, false, false, nil)
	if err != nil {
		return err
	}
	go func() { // ends with the link
		for d := range deliveries {
			received.Add(1)
			if d.DeliveryTag%(prefetch/2) == 0 {
				d.Ack(true)
			}
		}
	}()
	return nil
}
