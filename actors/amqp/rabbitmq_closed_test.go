package amqp_test

import (
	"bytes"
	"net"
	"net/url"
	"testing"

	"github.com/rabbitmq/amqp091-go"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// tardy is what the client library writes to where a call on a channel has found it open, and is
// written after the close-ok of that.
type tardy struct {
	net.Conn
	calls int
}

func (c *tardy) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	if closeOK := []byte{0, 20, 0, 41}; err == nil && bytes.Contains(p, closeOK) {
		c.calls++
		call := []byte{1, p[1], p[2], 0, 0, 0, 11, 0, 20, 0, 40, 0, 200, 0, 0, 0, 0, 0, 0xCE} // channel.close
		_, err = c.Conn.Write(call)
	}
	return n, err
}

// A broker may close a channel while the library is writing a call on it. That costs this channel:
// the others of the link go on, and the number of the channel may be used again.
func TestACallThatIsWrittenTooLateEndsNoLink(t *testing.T) {
	node := rabbit.Run(t)
	u, err := url.Parse(node.URL())
	must(t, err)
	socket, err := net.Dial("tcp", u.Host)
	must(t, err)
	late := &tardy{Conn: amqp.NewCloseFilter(socket)}
	password, _ := u.User.Password()
	const channels = 2
	link, err := amqp091.Open(late, amqp091.Config{
		SASL: []amqp091.Authentication{&amqp091.PlainAuth{Username: u.User.Username(), Password: password}}, Vhost: "/", ChannelMax: channels,
	})
	must(t, err)
	defer link.Close()
	other, err := link.Channel()
	must(t, err)
	for range 3 {
		c, err := link.Channel()
		must(t, err)
		ended := c.NotifyClose(make(chan *amqp091.Error, 1))
		must(t, c.Ack(999, false)) // the broker knows no such delivery
		select {
		case <-ended:
		case <-bounded(t).Done():
			t.Fatal("the broker has not closed the channel")
		}
		must(t, other.Qos(1, 0, false)) // is answered
	}
	if late.calls != 3 {
		t.Errorf("%d calls were written too late", late.calls)
	}
}
