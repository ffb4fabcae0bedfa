package bench

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
	"sync"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Sockets is the least that could serve event streams as fast: one queue, its
// frames made once, and for each client a socket with a waiting list and a
// writer on demand. It has no HTTP beyond the head, no actors, no limits, no
// deadlines, no pings and no errors. It serves until the process ends.
func Sockets(ctx context.Context, broker string) error {
	dialer, err := amqp.NewRabbitMQ(broker, amqp.RabbitMQOptions{})
	if err != nil {
		return err
	}
	link, err := dialer.Dial(ctx)
	if err != nil {
		return err
	}
	channel, err := link.Channel()
	if err != nil {
		return err
	}
	queue := amqp.QueueName("guest")
	if err := channel.Declare(queue, amqp.QueueLimits{}); err != nil {
		return err
	}
	if err := channel.Consume(queue, feedPrefetch); err != nil {
		return err
	}
	if err := channel.Bind(queue, amqp.Binding{Exchange: Exchange, Pattern: bareTopic}); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s := &sockets{clients: map[*socket]bool{}}
	go s.accept(listener) // ends with the process
	fmt.Println("listening on http://" + listener.Addr().String())
	return s.feed(channel)
}

// bareTopic is the key of what the baselines receive.
const bareTopic = "b"

// feedPrefetch is what the proxy's shared and routed queues have.
const feedPrefetch = 500

type sockets struct {
	mu      sync.Mutex
	clients map[*socket]bool
}

func (s *sockets) feed(channel amqp.Channel) error {
	for {
		d, err := channel.Next(nil)
		if err != nil {
			return err
		}
		frame := appendFrame(nil, d.Body, d.Exchange, d.RoutingKey)
		s.mu.Lock()
		for c := range s.clients {
			c.send(frame)
		}
		s.mu.Unlock()
		if d.Tag%(feedPrefetch/2) == 0 {
			if err := channel.Acknowledge(d.Tag); err != nil {
				return err
			}
		}
	}
}

func appendFrame(to, body []byte, exchange, key string) []byte {
	return fmt.Appendf(to, "event: message\ndata: {\"payload\":%s,\"exchange\":%q,\"routingKey\":%q,\"redelivered\":false,\"routes\":[]}\nid: -\n\n",
		body, exchange, key)
}

func (s *sockets) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go s.serve(&socket{conn: conn}) // ends with the client
	}
}

const socketHead = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\nevent: ready\ndata: {}\nid: -\n\n"

// readHead reads a request up to the empty line, and returns the topic of its first binding, empty
// where it has none.
func readHead(conn net.Conn) (topic string, err error) {
	head := bufio.NewReaderSize(conn, 1<<10)
	request, err := head.ReadString('\n')
	for line := request; err == nil && strings.TrimSpace(line) != ""; {
		line, err = head.ReadString('\n')
	}
	return topicOf(request), err
}

// serve reads the request, and waits for the client's end.
func (s *sockets) serve(c *socket) {
	defer c.conn.Close()
	if _, err := readHead(c.conn); err != nil {
		return
	}
	if _, err := c.conn.Write([]byte(socketHead)); err != nil {
		return
	}
	s.mu.Lock()
	s.clients[c] = true
	s.mu.Unlock()
	var nothing [16]byte
	c.conn.Read(nothing[:])
	s.mu.Lock()
	delete(s.clients, c)
	s.mu.Unlock()
}

type socket struct {
	conn net.Conn

	mu      sync.Mutex
	waiting [][]byte
	writing bool
}

func (c *socket) send(frame []byte) {
	c.mu.Lock()
	c.waiting = append(c.waiting, frame)
	start := !c.writing
	c.writing = true
	c.mu.Unlock()
	if start {
		go c.write() // ends when nothing waits
	}
}

var socketBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 32<<10); return &b }}

// write gathers what waits into as few writes as 32 KiB allow.
func (c *socket) write() {
	b := socketBuffers.Get().(*[]byte)
	defer socketBuffers.Put(b)
	var taken [][]byte
	for {
		c.mu.Lock()
		taken, c.waiting = c.waiting, taken[:0]
		c.writing = len(taken) > 0
		c.mu.Unlock()
		if len(taken) == 0 {
			return
		}
		out := (*b)[:0]
		for _, frame := range taken {
			if len(out)+len(frame) > cap(out) && len(out) > 0 {
				c.conn.Write(out)
				out = out[:0]
			}
			out = append(out, frame...)
		}
		c.conn.Write(out)
	}
}
