package amqp_test

import (
	"context"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/amqptest"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m)) }

// The two brokers keep one contract.

func TestMemoryKeepsTheContract(t *testing.T) { amqptest.Run(t, memoryBroker) }

func memoryBroker(t *testing.T) amqptest.Broker {
	m := amqp.NewMemory(amqp.MemoryOptions{
		QueuePrefix: "queue/contract/",
		Readable:    func(exchange string) bool { return strings.HasPrefix(exchange, "exchange/") },
	})
	t.Cleanup(func() { m.Close() })
	return amqptest.Broker{
		Dialer: m, Publishing: m, Namespace: "contract",
		Queues:        func(context.Context) ([]string, error) { return m.Queues(), nil },
		DeleteQueue:   func(_ context.Context, name string) error { m.DeleteQueue(name); return nil },
		DropLinks:     func(context.Context) error { m.DropLinks(); return nil },
		CloseChannels: func(context.Context) error { m.CloseChannels(); return nil },
	}
}

// A broker that only consumes is held to what does not need a publisher.
func TestABrokerThatCannotPublishIsHeldToTheRest(t *testing.T) {
	var held, skipped int
	amqptest.Run(t, func(t *testing.T) amqptest.Broker {
		t.Cleanup(func() {
			if t.Skipped() {
				skipped++
			} else {
				held++
			}
		})
		b := memoryBroker(t)
		b.Publishing = nil
		return b
	})
	if held < 10 || skipped < 10 {
		t.Errorf("%d claims were held, %d skipped", held, skipped)
	}
}

func TestRabbitMQKeepsTheContract(t *testing.T) {
	node := rabbit.Run(t)
	addPulseUser(t, node, "contract")
	amqptest.Run(t, func(t *testing.T) amqptest.Broker {
		return amqptest.Broker{
			Dialer:     dialer(t, node.UserURL("contract", "secret", "/")),
			Publishing: dialer(t, node.URL()),
			Namespace:  "contract",
			Queues: func(ctx context.Context) ([]string, error) {
				s, err := node.Snapshot(ctx)
				return s.Queues, err
			},
			DeleteQueue:   node.DeleteQueue,
			DropLinks:     node.CloseConnections,
			CloseChannels: node.CloseChannels,
		}
	})
}

// addPulseUser makes a user with the password "secret".
func addPulseUser(t *testing.T, node *rabbit.Node, user string) {
	t.Helper()
	if err := node.AddUser(t.Context(), user, "secret"); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.DeleteUser(context.Background(), user); err != nil {
			t.Error(err)
		}
	})
	if err := node.SetPermissions(t.Context(), user, "/", rabbit.PulseUser(user)); err != nil {
		t.Fatal(err)
	}
}

func dialer(t *testing.T, url string) *amqp.RabbitMQ {
	t.Helper()
	r, err := amqp.NewRabbitMQ(url, amqp.RabbitMQOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}
