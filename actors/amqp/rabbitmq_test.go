package amqp_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rabbitmq/amqp091-go"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// What the contract with Memory cannot cover: real sockets, and states of a real broker.

const patience = 30 * time.Second

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func isKind(t *testing.T, err error, want amqp.Kind) {
	t.Helper()
	if got := amqp.KindOf(err); got != want {
		t.Fatalf("the error is of kind %q, want %q: %v", got, want, err)
	}
}

// world is a publisher and one stream on an exchange of their own.
type world struct {
	link      amqp.Link
	channel   amqp.Channel
	publisher amqp.Publisher
	exchange  string
}

type broker interface {
	amqp.Dialer
	amqp.Publishing
}

func newWorld(t *testing.T, b broker) *world {
	t.Helper()
	ctx, w := bounded(t), &world{exchange: "exchange/test/" + rand.Text()}
	var err error
	w.publisher, err = b.Publisher(ctx)
	must(t, err)
	t.Cleanup(func() { w.publisher.Close() })
	must(t, w.publisher.Declare(ctx, w.exchange, "topic"))
	w.link, err = b.Dial(ctx)
	must(t, err)
	t.Cleanup(func() { w.link.Close(time.Second) })
	w.channel = stream(t, w.link, w.exchange)
	return w
}

func stream(t *testing.T, link amqp.Link, exchange string) amqp.Channel {
	t.Helper()
	c, err := link.Channel()
	must(t, err)
	queue := amqp.QueueName("test")
	must(t, c.Declare(queue, amqp.QueueLimits{}))
	must(t, c.Consume(queue, 10))
	must(t, c.Bind(queue, amqp.Binding{Exchange: exchange, Pattern: "#"}))
	return c
}

func next(t *testing.T, c amqp.Channel) amqp.Delivery {
	t.Helper()
	d, err := c.Next(bounded(t).Done())
	if d == nil {
		t.Fatalf("no delivery came: %v", err)
	}
	return *d
}

// ends waits for the error that ends the deliveries.
func ends(t *testing.T, c amqp.Channel) error {
	t.Helper()
	d, err := c.Next(bounded(t).Done())
	if d != nil || err == nil {
		t.Fatalf("got %+v, %v", d, err)
	}
	return err
}

// Whatever a publisher puts into its headers reaches no client and harms none:
// the client library would end the link over most of these.
func TestNoHeaderCanEndALink(t *testing.T) {
	node := rabbit.Run(t)
	w := newWorld(t, dialer(t, node.URL()))
	bystander := stream(t, w.link, w.exchange)
	deep := amqp091.Table{}
	for range 300 {
		deep = amqp091.Table{"deeper": deep, "list": []any{[]any{}}}
	}
	routes := make([]any, 9000)
	for i := range routes {
		routes[i] = fmt.Sprint("r.", i)
	}
	for name, headers := range map[string]amqp091.Table{
		"deep":       {"x": deep},
		"long list":  {"x": slices.Repeat([]any{nil}, 20_000)},
		"every type": {"t": true, "b": int8(1), "B": byte(1), "s": int16(1), "I": int32(1), "l": int64(1), "f": float32(1), "d": 1.5, "D": amqp091.Decimal{Scale: 2, Value: 314}, "S": "s", "T": time.Unix(1, 0), "V": nil, "x": []byte("x"), "A": []any{"a", 1}, "F": amqp091.Table{"a": 1}},
		"odd CC":     {"CC": []any{}},
		"9000 CC":    {"CC": routes, "after": "it"},
	} {
		publishRaw(t, node.URL(), w.exchange, amqp091.Publishing{Headers: headers, ContentType: "a/b", ContentEncoding: "c", MessageId: name, Body: []byte(name)})
		for _, c := range []amqp.Channel{w.channel, bystander} {
			d := next(t, c)
			if string(d.Body) != name {
				t.Fatalf("got %+v", d)
			}
			if want, _ := headers["CC"].([]any); len(d.CC) != len(want) {
				t.Errorf("%s: got %d routes, want %d", name, len(d.CC), len(want))
			}
			must(t, c.Acknowledge(d.Tag))
		}
	}
}

// publishRaw publishes what our own Publisher would not.
func publishRaw(t *testing.T, url, exchange string, m amqp091.Publishing) {
	t.Helper()
	connection, err := amqp091.Dial(url)
	must(t, err)
	defer connection.Close()
	channel, err := connection.Channel()
	must(t, err)
	must(t, channel.Confirm(false))
	confirmation, err := channel.PublishWithDeferredConfirm(exchange, "a", false, false, m)
	must(t, err)
	if !confirmation.Wait() {
		t.Fatalf("the broker did not take %s", m.MessageId)
	}
}

// quick returns a dialer with a heartbeat that a test can wait for: a loss takes a second and a
// half.
func quick(t *testing.T, url string) *amqp.RabbitMQ {
	t.Helper()
	r, err := amqp.NewRabbitMQ(url, amqp.RabbitMQOptions{Heartbeat: time.Second})
	must(t, err)
	return r
}

// A broker that has fallen silent is lost by its heartbeat: waiting for
// deliveries, waiting for an answer, and on a link that never received anything.
func TestASilentBrokerIsLost(t *testing.T) {
	node := rabbit.Run(t)
	w := newWorld(t, quick(t, node.URL()))
	idle, err := quick(t, node.URL()).Dial(bounded(t))
	must(t, err)
	must(t, node.Freeze())
	defer node.Thaw()
	asking, err := make(chan error, 1), error(nil)
	go func() {
		var err error
		for err == nil { // what comes just before the freeze is still answered
			_, err = w.link.Channel()
		}
		asking <- err
	}()
	isKind(t, ends(t, w.channel), amqp.LinkLost)
	isKind(t, <-asking, amqp.LinkLost)
	for _, l := range []amqp.Link{w.link, idle} {
		select {
		case <-l.Lost():
			isKind(t, l.Err(), amqp.LinkLost)
		case <-bounded(t).Done():
			t.Fatal("the link was not lost")
		}
	}
	must(t, w.channel.Close())
}

// A killed broker is noticed at once, and dialled again once it is back.
func TestAKilledBrokerIsLostAndDialledAgain(t *testing.T) {
	node := rabbit.Run(t)
	r := dialer(t, node.URL())
	w := newWorld(t, r)
	must(t, node.Kill())
	isKind(t, ends(t, w.channel), amqp.LinkLost)
	isKind(t, w.publisher.Publish(bounded(t), w.exchange, "a", amqp.Message{}), amqp.LinkLost)
	_, err := r.Dial(bounded(t))
	isKind(t, err, amqp.LinkLost)
	must(t, node.Start(bounded(t)))
	w = newWorld(t, r)
	must(t, w.publisher.Publish(bounded(t), w.exchange, "a", amqp.Message{}))
	next(t, w.channel)
}

// A publisher waits no longer than it is told to.
func TestAPublisherKeepsItsDeadline(t *testing.T) {
	node := rabbit.Run(t)
	w := newWorld(t, dialer(t, node.URL()))
	must(t, node.Freeze())
	ctx, cancel := context.WithTimeout(bounded(t), 50*time.Millisecond)
	defer cancel()
	for _, err := range []error{
		w.publisher.Publish(ctx, w.exchange, "a", amqp.Message{}),
		w.publisher.Declare(ctx, w.exchange, "topic"),
		w.publisher.Delete(ctx, w.exchange),
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
	}
	must(t, node.Thaw())
	must(t, w.publisher.Publish(bounded(t), w.exchange, "a", amqp.Message{}))
}
