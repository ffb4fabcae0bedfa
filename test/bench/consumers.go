package bench

import (
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	amqp091 "github.com/rabbitmq/amqp091-go"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Consumers is the least that could take part in dedicated mode, or, with one of everything, in
// routed mode: n queues for one topic, with a channel and a consumer each, in the proxy's way (500
// channels a link, its prefetch, half a window acknowledged at once), that drop what they get. It
// prints how many messages came, in lines, until the process ends.
func Consumers(broker, topic string, n, prefetch int) error {
	var received atomic.Int64
	links := bareLinks{broker: broker, prefetch: prefetch}
	for range n {
		if err := links.consume(topic, func(amqp091.Delivery) { received.Add(1) }); err != nil {
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

// WritingConsumers is the same for clients that are there, who name their topic: each one's
// deliveries are framed, one by one, and written to its socket. Without that the
// comparison is with a program without clients.
func WritingConsumers(broker string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	links := bareLinks{broker: broker, prefetch: ownPrefetch}
	fmt.Println("listening on http://" + listener.Addr().String())
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() { // ends when the client is served by its consumer
			if err := links.serve(conn); err != nil {
				fmt.Fprintln(os.Stderr, err)
				conn.Close()
			}
		}()
	}
}

// serve makes a client's consumer, which writes from then on.
func (l *bareLinks) serve(conn net.Conn) error {
	topic, err := readHead(conn)
	if err != nil {
		return err
	}
	started := make(chan struct{}) // closed when the head has been written
	var frame []byte
	err = l.consume(topic, func(d amqp091.Delivery) {
		<-started
		frame = appendFrame(frame[:0], d.Body, d.Exchange, d.RoutingKey)
		conn.Write(frame) // a client that has disconnected is not counted here
	})
	if err != nil {
		return err
	}
	defer close(started)
	_, err = conn.Write([]byte(socketHead))
	return err
}

// bareLinks opens connections as channels need them. It may be used concurrently.
type bareLinks struct {
	broker   string
	prefetch int

	mu       sync.Mutex
	link     *amqp091.Connection
	channels int
}

// ownPrefetch is what the proxy's dedicated queues have.
const ownPrefetch = 50

// channel opens one on a link that has room.
func (l *bareLinks) channel() (_ *amqp091.Channel, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.channels%amqp.ChannelsPerLink == 0 {
		if l.link, err = amqp091.Dial(l.broker); err != nil {
			return nil, err
		}
	}
	l.channels++
	return l.link.Channel()
}

// consume takes what comes to a queue of its own, bound to a topic.
func (l *bareLinks) consume(topic string, take func(amqp091.Delivery)) error {
	channel, err := l.channel()
	if err != nil {
		return err
	}
	queue := amqp.QueueName("guest")
	if _, err := channel.QueueDeclare(queue, false, true, true, false, amqp091.Table(amqp.QueueArguments(queue, amqp.QueueLimits{}))); err != nil {
		return err
	}
	if err := channel.QueueBind(queue, topic, Exchange, false, nil); err != nil {
		return err
	}
	if err := channel.Qos(l.prefetch, 0, false); err != nil {
		return err
	}
	deliveries, err := channel.Consume(queue, "", false, true, false, false, nil)
	if err != nil {
		return err
	}
	go func() { // ends with the link
		for d := range deliveries {
			take(d)
			if d.DeliveryTag%uint64(l.prefetch/2) == 0 {
				d.Ack(true)
			}
		}
	}()
	return nil
}
