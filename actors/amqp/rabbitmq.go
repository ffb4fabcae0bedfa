package amqp

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rabbitmq/amqp091-go"
)

// RabbitMQ dials one RabbitMQ broker: a node, or a cluster of nodes with one user and virtual host.
// Its methods may be called concurrently.
//
// This file is the only one that knows the client library, and keeps its traps:
//
//   - when a link ends, every notification channel is closed: only a value that was received says
//     that something happened;
//   - notification channels have room for one, an unread one would otherwise hold up the whole
//     link;
//   - what the library must not be given (long names, odd bytes) is refused before, and what it
//     must not read (deep or wide header tables) is taken out before, see headerFilter: either
//     would end the link of 500 streams.
type RabbitMQ struct {
	url      brokerURL
	options  RabbitMQOptions
	lookup   lookup
	failures failures
}

var (
	_ Cluster    = (*RabbitMQ)(nil)
	_ Publishing = (*RabbitMQ)(nil)
)

// NewRabbitMQ prepares to dial the broker at an AMQP URL; it touches no network. The URL's host may
// be a list, the nodes of a cluster:
//
//	amqps://user:password@a:5671,b:5671,c/vhost
//
// RabbitMQ's URI query parameters cacertfile, certfile, keyfile, server_name_indication,
// auth_mechanism, heartbeat, connection_timeout and channel_max are known. The error holds no
// credentials.
func NewRabbitMQ(url string, o RabbitMQOptions) (*RabbitMQ, error) {
	u, err := parseBrokerURL(url)
	if err != nil {
		return nil, err
	}
	r := &RabbitMQ{url: u, options: o.withDefaults(u), lookup: net.DefaultResolver.LookupNetIP}
	if r.options.TLS, err = u.tlsConfig(o.TLS); err != nil {
		return nil, err
	}
	_, err = r.authentications()
	if err != nil {
		return nil, err
	}
	return r, nil
}

// User returns the user name of the URL: under Pulse the namespace in which it may make queues.
func (r *RabbitMQ) User() string { return r.url.user }

// VHost returns the virtual host of the URL.
func (r *RabbitMQ) VHost() string { return r.url.vhost }

func (r *RabbitMQ) handshake(socket net.Conn) (*amqp091.Connection, error) {
	authentications, err := r.authentications()
	if err != nil {
		return nil, err
	}
	properties := amqp091.NewConnectionProperties()
	properties["connection_name"] = r.options.Name
	return amqp091.Open(newHeaderFilter(socket), amqp091.Config{
		SASL: authentications, Vhost: r.url.vhost, Heartbeat: r.options.Heartbeat,
		FrameSize: frameMax, ChannelMax: r.url.channelMax, Properties: properties, Locale: "en_US",
	})
}

// stepOf returns the step at which a handshake has failed.
func stepOf(err error) Step {
	var reply *amqp091.Error
	switch {
	case !errors.As(err, &reply):
	case reply == amqp091.ErrVhost, reply.Server && reply.Code == amqp091.NotAllowed, reply.Server && reply.Code == amqp091.NotFound:
		return StepOpen
	case reply.Code == amqp091.AccessRefused:
		return StepLogin
	}
	return StepSpeak
}

// authentications returns what the URL's auth_mechanism names, PLAIN by default.
func (r *RabbitMQ) authentications() (list []amqp091.Authentication, err error) {
	for _, mechanism := range r.url.mechanisms {
		switch mechanism {
		case "plain":
			list = append(list, &amqp091.PlainAuth{Username: r.url.user, Password: r.url.password})
		case "external": // the client's certificate says who it is
			list = append(list, &amqp091.ExternalAuth{})
		default:
			return nil, errors.New("the broker's URL has an auth_mechanism that is not one of plain, external")
		}
	}
	if list == nil {
		list = append(list, &amqp091.PlainAuth{Username: r.url.user, Password: r.url.password})
	}
	return list, nil
}

// rabbitLink is an open AMQP connection. One goroutine waits for its end.
type rabbitLink struct {
	connection *amqp091.Connection
	socket     net.Conn
	address    string
	lost       chan struct{}
	err        error // written before lost is closed
	closing    atomic.Bool
}

func newRabbitLink(connection *amqp091.Connection, socket net.Conn, address string) *rabbitLink {
	l := &rabbitLink{connection: connection, socket: socket, address: address, lost: make(chan struct{})}
	if heartbeat := connection.Config.Heartbeat; heartbeat > 0 {
		// The library bounds a read only once it has read a frame.
		_ = socket.SetReadDeadline(time.Now().Add(heartbeat * 3 / 2))
	}
	ends := connection.NotifyClose(make(chan *amqp091.Error, 1))
	go func() { // until the connection has ended: Close always brings that about
		end, told := <-ends
		switch {
		case l.closing.Load():
		case told:
			l.err = &Error{Kind: LinkLost, Code: end.Code, Op: "link", Cause: end}
		default:
			l.err = linkLost("link", "", errClosedLink)
		}
		close(l.lost)
	}()
	return l
}

// Address returns host:port, see Cluster.
func (l *rabbitLink) Address() string { return l.address }

// Capacity returns the channel_max that was negotiated.
func (l *rabbitLink) Capacity() int { return int(l.connection.Config.ChannelMax) }

func (l *rabbitLink) Lost() <-chan struct{} { return l.lost }

func (l *rabbitLink) Err() error {
	select {
	case <-l.lost:
		return l.err
	default:
		return nil
	}
}

func (l *rabbitLink) Close(patience time.Duration) error {
	if l.closing.Swap(true) {
		<-l.lost
		return nil
	}
	// Closing the socket ends whatever the library waits for. Its CloseDeadline
	// would not do: each frame that still comes moves the deadline.
	expire := time.AfterFunc(patience, func() { l.socket.Close() })
	err := l.connection.Close()
	expire.Stop()
	<-l.lost
	if err != nil && !errors.Is(err, amqp091.ErrClosed) {
		return linkLost("close", "", err)
	}
	return nil
}

func (l *rabbitLink) Channel() (Channel, error) {
	c, err := l.channel()
	if err != nil {
		return nil, err
	}
	return c, nil
}

func (l *rabbitLink) channel() (*rabbitChannel, error) {
	channel, err := l.connection.Channel()
	if err != nil {
		return nil, l.failure("open channel", "", err)
	}
	return &rabbitChannel{
		replaced: handover[amqp091.Delivery]{tag: func(d *amqp091.Delivery) uint64 { return d.DeliveryTag }, next: 1},
		link:     l, channel: channel,
		ends:    channel.NotifyClose(make(chan *amqp091.Error, 1)),
		cancels: channel.NotifyCancel(make(chan string, 2)), // there are two consumers while Prefetch runs
	}, nil
}

var errNacked = errors.New("a queue did not take the message")

// failure returns the error of a failed operation of the link or of one of its channels, with what
// it has ended.
func (l *rabbitLink) failure(op, subject string, err error) *Error {
	e := &Error{Kind: LinkLost, Op: op, Subject: subject, Cause: err}
	var reply *amqp091.Error
	if errors.As(err, &reply) {
		e.Code = reply.Code
	}
	switch {
	case err == errNacked:
		e.Kind = Nacked
	case errors.Is(err, amqp091.ErrChannelMax):
		e.Kind = Exhausted
	case reply == nil, l.connection.IsClosed(): // without a reply: the socket failed, the library is about to notice
	case reply.Server && refuses(reply.Code) && !otherwise(op, reply):
		e.Kind = Refused
	default:
		e.Kind = ChannelLost
	}
	return e
}

// otherwise reports whether the channel was ended for something else than the operation that waits:
// only an acknowledgement has a tag that can be unknown.
func otherwise(op string, reply *amqp091.Error) bool {
	return op != "acknowledge" && reply.Code == PreconditionFailed && strings.Contains(reply.Reason, "unknown delivery tag")
}

// rabbitChannel is an open channel. The library's own goroutine fills deliveries, at most prefetch
// of them unacknowledged.
type rabbitChannel struct {
	link       *rabbitLink
	channel    *amqp091.Channel
	ends       <-chan *amqp091.Error
	cancels    <-chan string
	deliveries <-chan amqp091.Delivery // nil before Consume
	replaced   handover[amqp091.Delivery]
	consumers  int // started so far

	// Next's: as local variables they would double a waiting goroutine's stack.
	received amqp091.Delivery
	delivery Delivery

	dead bool // refused by ourselves
}

// perform runs one operation, unless a name in it must not be sent.
func (c *rabbitChannel) perform(op, subject string, names []string, do func() error) error {
	if c.dead {
		return &Error{Kind: ChannelLost, Op: op, Subject: subject, Cause: errClosedChannel}
	}
	for _, name := range names {
		if err := validShortString(name); err != nil {
			c.dead = true // as if the broker had refused it
			return refusal(FrameError, op, subject, "name %w", err)
		}
	}
	if err := do(); err != nil {
		return c.link.failure(op, subject, err)
	}
	return nil
}

func (c *rabbitChannel) Declare(queue string, limits QueueLimits) error {
	return c.perform("declare", queue, []string{queue}, func() error {
		const durable, autoDelete, exclusive, noWait = false, true, true, false
		_, err := c.channel.QueueDeclare(queue, durable, autoDelete, exclusive, noWait, QueueArguments(queue, limits))
		return err
	})
}

// DeclareDeadLetters is for what queues drop, see DeadLetters.
func (c *rabbitChannel) DeclareDeadLetters(exchange, queue string) error {
	return c.perform("declare", exchange, []string{exchange, queue}, func() error {
		const durable, autoDelete, internal, exclusive, noWait = false, true, true, true, false
		if err := c.channel.ExchangeDeclare(exchange, "fanout", durable, autoDelete, internal, noWait, nil); err != nil {
			return err
		}
		limits := QueueLimits{MaxLength: deadLettersLength}
		if _, err := c.channel.QueueDeclare(queue, durable, autoDelete, exclusive, noWait, QueueArguments(queue, limits)); err != nil {
			return err
		}
		return c.channel.QueueBind(queue, "", exchange, false, nil)
	})
}

// BindCanaries is for what shows whether a node is alone, see Canaries.
func (c *rabbitChannel) BindCanaries(queue, exchange string) error {
	err := c.perform("declare", exchange, []string{exchange, queue}, func() error {
		const durable, autoDelete, internal, noWait = false, true, false, false
		return c.channel.ExchangeDeclare(exchange, "fanout", durable, autoDelete, internal, noWait, nil)
	})
	if err != nil {
		return err
	}
	if err = c.Bind(queue, Binding{Exchange: exchange}); err != nil {
		c.removeUnused(exchange)
	}
	return err
}

// removeUnused removes an exchange to which nothing is bound. The channel may have ended.
func (c *rabbitChannel) removeUnused(exchange string) {
	other, err := c.link.channel()
	if err != nil {
		return
	}
	defer other.Close()
	const ifUnused, noWait = true, false
	_ = other.channel.ExchangeDelete(exchange, ifUnused, noWait) // another queue may be bound
}

// SendCanary publishes a canary, see Canaries.
func (c *rabbitChannel) SendCanary(exchange string, body []byte) error {
	return c.perform("publish", exchange, []string{exchange}, func() error {
		const mandatory, immediate = false, false
		err := c.channel.Publish(exchange, "", mandatory, immediate, amqp091.Publishing{Body: body})
		if errors.Is(err, amqp091.ErrClosed) {
			select {
			case end, told := <-c.ends:
				if told {
					return end
				}
			default:
			}
		}
		return err
	})
}

// DeleteDeadLetters is for what queues drop, see DeadLetters.
func (c *rabbitChannel) DeleteDeadLetters(exchange, queue string) error {
	if err := c.Delete(queue); err != nil {
		return err
	}
	return c.deleteExchange(exchange)
}

func (c *rabbitChannel) Bind(queue string, b Binding) error {
	err := c.perform("bind", b.Exchange, []string{queue, b.Exchange, b.Pattern}, func() error {
		return c.channel.QueueBind(queue, b.Pattern, b.Exchange, false, nil)
	})
	var e *Error
	if errors.As(err, &e) && (e.Code == NotFound || e.Code == AccessRefused) && strings.Contains(e.Cause.Error(), " queue '") {
		e.Subject = queue // the code is the same for both that a binding needs
	}
	return err
}

func (c *rabbitChannel) Consume(queue string, prefetch int) error {
	switch {
	case c.deliveries != nil:
		c.dead = true
		return &Error{Kind: Refused, Op: "consume", Subject: queue, Cause: errConsuming}
	case prefetch < 1 || prefetch > MaxPrefetch:
		c.dead = true
		return prefetchRefused(queue, prefetch)
	}
	return c.perform("consume", queue, []string{queue}, func() error { return c.addConsumer(queue, prefetch) })
}

// addConsumer starts the consumer that is the current one from now on.
func (c *rabbitChannel) addConsumer(queue string, prefetch int) error {
	if err := c.channel.Qos(prefetch, 0, false); err != nil {
		return err
	}
	const autoAck, exclusive, noLocal, noWait = false, false, false, false
	deliveries, err := c.channel.Consume(queue, consumerTag(c.consumers+1), autoAck, exclusive, noLocal, noWait, nil)
	if err == nil {
		c.deliveries = deliveries
		c.consumers++
	}
	return err
}

func consumerTag(n int) string {
	if n == 1 {
		return "events"
	}
	return fmt.Sprintf("events-%d", n)
}

// Prefetch replaces the consumer, see Prefetcher: a broker applies a prefetch to the consumers that
// come after it. The new one starts before the old one ends, as a queue that is auto-delete goes
// with its last consumer. While the deliveries of an earlier replacement are still to be received
// it does nothing.
func (c *rabbitChannel) Prefetch(queue string, prefetch int) (changed bool, err error) {
	switch {
	case prefetch < 1 || prefetch > MaxPrefetch:
		c.dead = true
		return false, prefetchRefused(queue, prefetch)
	case c.deliveries == nil || !c.replaced.over():
		return false, nil
	}
	old, tag := c.deliveries, consumerTag(c.consumers)
	err = c.perform("consume", queue, []string{queue}, func() error {
		if err := c.addConsumer(queue, prefetch); err != nil {
			return err
		}
		c.replaced.old = old
		return c.channel.Cancel(tag, false)
	})
	return err == nil, err
}

func (c *rabbitChannel) Next(wake <-chan struct{}) (*Delivery, error) {
	if c.deliveries == nil || c.dead {
		return nil, c.notConsuming()
	}
	if !c.replaced.over() {
		return c.nextReplaced(wake)
	}
	var ok bool
	select {
	case c.received, ok = <-c.deliveries:
	case <-wake:
		return nil, nil
	}
	if !ok {
		return nil, c.ended()
	}
	return c.take(), nil
}

// nextReplaced is Next while a replaced consumer has deliveries left.
func (c *rabbitChannel) nextReplaced(wake <-chan struct{}) (*Delivery, error) {
	switch ok, ended := c.replaced.receive(c.deliveries, wake, &c.received); {
	case ended:
		return nil, c.ended()
	case !ok:
		return nil, nil
	}
	return c.take(), nil
}

// take returns what Next has received.
func (c *rabbitChannel) take() *Delivery {
	d := &c.received
	c.replaced.next = d.DeliveryTag + 1
	list, body := separate(d.Headers["CC"], d.Body)
	c.delivery = Delivery{
		Tag: d.DeliveryTag, Exchange: d.Exchange, RoutingKey: d.RoutingKey,
		CC: carbonCopies(list), Redelivered: d.Redelivered, Body: nilIfEmpty(body),
	}
	*d = amqp091.Delivery{} // holds nothing that is not asked for
	return &c.delivery
}

func (c *rabbitChannel) notConsuming() error {
	return c.perform("next", "", nil, func() error {
		if c.channel.IsClosed() {
			return amqp091.ErrClosed
		}
		return &amqp091.Error{Code: PreconditionFailed, Reason: errNoConsumer.Error(), Server: true}
	})
}

// ended returns why deliveries was closed. Both reasons were sent before that, if there are any;
// that their channels are closed says nothing.
func (c *rabbitChannel) ended() *Error {
	select {
	case tag, told := <-c.cancels:
		if told {
			return &Error{Kind: Cancelled, Op: "next", Subject: tag}
		}
	default:
	}
	select {
	case end, told := <-c.ends:
		if told {
			e := c.link.failure("next", "", end)
			if e.Kind == Refused { // it was not this operation that the broker refused
				e.Kind = ChannelLost
			}
			return e
		}
	default:
	}
	return c.link.failure("next", "", amqp091.ErrClosed)
}

func (c *rabbitChannel) Acknowledge(tag uint64) error {
	return c.perform("acknowledge", "", nil, func() error { return c.channel.Ack(tag, true) })
}

func (c *rabbitChannel) Depth(queue string) (n int, err error) {
	err = c.perform("depth", queue, []string{queue}, func() error {
		const durable, autoDelete, exclusive, noWait = false, true, true, false
		q, err := c.channel.QueueDeclarePassive(queue, durable, autoDelete, exclusive, noWait, nil)
		n = q.Messages
		return err
	})
	return n, err
}

func (c *rabbitChannel) Delete(queue string) error {
	return c.perform("delete", queue, []string{queue}, func() error {
		const ifUnused, ifEmpty, noWait = false, false, false
		_, err := c.channel.QueueDelete(queue, ifUnused, ifEmpty, noWait)
		return err
	})
}

func (c *rabbitChannel) Close() error {
	if err := c.channel.Close(); err != nil {
		return ignoreGone(c.link.failure("close", "", err))
	}
	return nil
}

// What follows is for rabbitPublisher.

func (c *rabbitChannel) confirm() error {
	return c.perform("open publisher", "", nil, func() error { return c.channel.Confirm(false) })
}

func (c *rabbitChannel) declareExchange(exchange, kind string) error {
	return c.perform("declare", exchange, nil, func() error {
		const durable, autoDelete, internal, noWait = false, false, false, false
		return c.channel.ExchangeDeclare(exchange, kind, durable, autoDelete, internal, noWait, nil)
	})
}

func (c *rabbitChannel) deleteExchange(exchange string) error {
	return c.perform("delete", exchange, []string{exchange}, func() error {
		return c.channel.ExchangeDelete(exchange, false, false)
	})
}

// publish waits for the broker's confirmation, which follows the routing.
func (c *rabbitChannel) publish(exchange, routingKey string, m Message) error {
	return c.perform("publish", exchange, nil, func() error {
		message := amqp091.Publishing{ContentType: m.ContentType, Body: m.Body}
		if m.CC != nil {
			message.Headers = amqp091.Table{"CC": anyList(m.CC)}
		}
		confirmation, err := c.channel.PublishWithDeferredConfirm(exchange, routingKey, false, false, message)
		if err != nil || confirmation.Wait() {
			return err
		}
		if !c.channel.IsClosed() {
			return errNacked
		}
		if end, told := <-c.ends; told { // closed or told before the confirmation ended
			return end
		}
		return amqp091.ErrClosed
	})
}
