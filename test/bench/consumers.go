package bench

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Consumers is the least that could take part in dedicated mode: n queues with
// a channel and a consumer each, in the proxy's way (500 channels a link,
// prefetch 50, half a window acknowledged at once), that drop what they get. It
// prints how many messages came, in lines, until the process ends.
func Consumers(broker string, n int) error {
	var received atomic.Int64
	links := bareLinks{broker: broker}
	for range n {
		if err := links.consume(func(amqp091.Delivery) { received.Add(1) }); err != nil {
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

// WritingConsumers is the same for clients that are there: each one's
// deliveries are framed, one by one, and written to its socket. Without that the
// comparison is with a program without clients.
func WritingConsumers(broker string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	links := bareLinks{broker: broker}
	fmt.Println("listening on http://" + listener.Addr().String())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		if err := readHead(conn); err != nil {
			return err
		}
		var frame []byte
		if err := links.consume(func(d amqp091.Delivery) {
			frame = appendFrame(frame[:0], d.Body, d.Exchange, d.RoutingKey)
			conn.Write(frame) // a client that has disconnected is not counted here
		}); err != nil {
			return err
		}
		if _, err := conn.Write([]byte(socketHead)); err != nil {
			return err
		}
	}
}

// bareLinks opens connections as channels need them.
type bareLinks struct {
	broker   string
	link     *amqp091.Connection
	channels int
}

// prefetch is what the proxy's dedicated queues have.
const prefetch = 50

// consume takes what comes to a queue of its own.
func (l *bareLinks) consume(take func(amqp091.Delivery)) (err error) {
	if l.channels%amqp.ChannelsPerLink == 0 {
		if l.link, err = amqp091.Dial(l.broker); err != nil {
			return err
		}
	}
	l.channels++
	channel, err := l.link.Channel()
	if err != nil {
		return err
	}
	queue := amqp.QueueName("guest")
	if _, err := channel.QueueDeclare(queue, false, true, true, false, amqp091.Table(amqp.QueueArguments(queue, amqp.QueueLimits{}))); err != nil {
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
			take(d)
			if d.DeliveryTag%(prefetch/2) == 0 {
				d.Ack(true)
			}
		}
	}()
	return nil
}
