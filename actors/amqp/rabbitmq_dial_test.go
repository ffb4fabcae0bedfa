package amqp_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// The broker's management shows operators which connections are the proxy's.
func TestALinkHasAName(t *testing.T) {
	node := rabbit.Run(t)
	r, err := amqp.NewRabbitMQ(node.URL(), amqp.RabbitMQOptions{Name: "events of host a"})
	must(t, err)
	link, err := r.Dial(bounded(t))
	must(t, err)
	defer link.Close(time.Second)
	connections, err := node.Connections(bounded(t))
	must(t, err)
	if !slices.ContainsFunc(connections, func(c rabbit.Connection) bool { return c.Name == "events of host a" }) {
		t.Errorf("got %+v", connections)
	}
}

// No error that may reach a log holds the password, whether a URL is wrong or a dial fails.
func TestNoErrorHoldsThePassword(t *testing.T) {
	node := rabbit.Run(t)
	closed := closedPort(t)
	for _, url := range []string{
		"amqp://ada:hunter2@" + node.Address() + "/", // refused
		"amqp://ada:hunter2@" + closed + "/",         // no broker
		"amqp://ada:hunter2/x@" + closed + "/",       // not encoded: the port seems to be "hunter2"
		"amqp://ada:hunter2 x@" + closed + "/",
		"http://ada:hunter2@" + closed + "/",
		"amqp://ada:hunter2@" + closed + "/?auth_mechanism=magic",
		"amqps://ada:hunter2@" + closed + "/?cacertfile=/no/such/file",
		"amqp://guest:guest@" + node.Address() + "/hunter2-vhost",
	} {
		r, err := amqp.NewRabbitMQ(url, amqp.RabbitMQOptions{})
		if err == nil {
			_, err = r.Dial(bounded(t))
			isKind(t, err, amqp.LinkLost)
		}
		if strings.Contains(strings.ReplaceAll(fmt.Sprint(err), "hunter2-vhost", ""), "hunter2") || err == nil {
			t.Errorf("%s: %v", url, err)
		}
	}
}

// A person who mistyped a part of the URL learns which.
func TestAFailedDialNamesThePartOfTheURL(t *testing.T) {
	node := rabbit.Run(t)
	for url, want := range map[string]string{
		"amqp://ada:lovelace@" + node.Address() + "/":        `the broker refuses the login of user "ada": `,
		"amqp://guest:guest@" + node.Address() + "/no-vhost": `the broker refuses virtual host "no-vhost" to user "guest": `,
		"amqps://guest:guest@" + node.Address() + "/":        `no TLS is spoken there, try amqp://`,
	} {
		r, err := amqp.NewRabbitMQ(url, amqp.RabbitMQOptions{})
		must(t, err)
		if _, err = r.Dial(bounded(t)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", url, err)
		}
	}
}

func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// A dial ends with its context, whatever the other side does: here it takes the connection and
// sends nothing.
func TestADialEndsWithItsContext(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	for _, scheme := range []string{"amqp", "amqps"} {
		ctx, cancel := context.WithCancelCause(bounded(t))
		go func() { // ends when the dialler hangs up
			c, err := l.Accept()
			if err == nil {
				c.Read(make([]byte, 1)) // the first byte of the handshake: the dial is on its way
				cancel(errors.New("the test has seen enough"))
				c.Read(make([]byte, 1<<10))
				c.Close()
			}
		}()
		r, err := amqp.NewRabbitMQ(scheme+"://a:b@"+l.Addr().String(), amqp.RabbitMQOptions{DialTimeout: time.Hour})
		must(t, err)
		_, err = r.Dial(ctx)
		if err == nil || !strings.Contains(err.Error(), "seen enough") {
			t.Errorf("%s: %v", scheme, err)
		}
	}
	r, err := amqp.NewRabbitMQ("amqp://a:b@"+l.Addr().String(), amqp.RabbitMQOptions{DialTimeout: time.Millisecond})
	must(t, err)
	if _, err = r.Dial(bounded(t)); err == nil || !strings.Contains(err.Error(), "did not answer in time") {
		t.Errorf("got %v", err)
	}
}
