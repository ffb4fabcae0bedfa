package amqp

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rabbitmq/amqp091-go"
)

// RabbitMQ dials one RabbitMQ broker: a node, or a cluster of nodes with one user and virtual host.
// Its methods may be called concurrently.
//
// The files whose names start with rabbitmq are the only ones that know the client library, and keep
// its traps:
//
//   - when a link ends, every notification channel is closed: only a value that was received says
//     that something happened;
//   - notification channels have room for one, an unread one would otherwise hold up the whole
//     link;
//   - what the library must not be given (long names, odd bytes) is refused before, and what it
//     must not read (deep or wide header tables) is taken out before, see headerFilter: either
//     would end the link of 500 streams;
//   - so would a frame that it writes on a channel just after the broker has closed that, see
//     closeFilter: an administrator, consumer_timeout (a reader that has acknowledged nothing for
//     half an hour) or a refused bind may close a channel at any moment.
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
	return amqp091.Open(newHeaderFilter(newCloseFilter(socket)), amqp091.Config{
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
