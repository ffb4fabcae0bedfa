package brokertest_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// On a real RabbitMQ a program that forgets its consumer is told of its queue,
// consumer, channel and connection; one that tidies up is told nothing.
func TestARealBrokerNamesWhatIsLeft(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	node, err := rabbit.StartManagedNode(ctx, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	broker := brokertest.RabbitMQ(node.ManagementURL(), "/")
	work := func() amqp.Link {
		dialer, err := amqp.NewRabbitMQ(node.URL(), amqp.RabbitMQOptions{})
		if err != nil {
			t.Fatal(err)
		}
		l, err := dialer.Dial(ctx)
		if err != nil {
			t.Fatal(err)
		}
		c := channel(t, l)
		if err := c.Declare("queue/x/1", amqp.QueueLimits{}); err != nil {
			t.Fatal(err)
		}
		if err := c.Consume("queue/x/1", 1); err != nil {
			t.Fatal(err)
		}
		return l
	}

	r := &recorder{}
	brokertest.Clean(r, broker)
	work().Close(time.Second)
	if r.end(); r.said != "" {
		t.Errorf("it has tidied up: %s", r.said)
	}

	r = &recorder{}
	brokertest.Clean(brief{r}, broker)
	forgotten := work()
	defer forgotten.Close(time.Second)
	awaitListed(t, node.ManagementURL(), "queues", "consumers", "channels", "connections")
	r.end()
	for _, says := range []string{"1 queues left: queue/x/1", "1 consumers left", "1 channels left", "1 connections left", "a goroutine left"} {
		if !strings.Contains(r.said, says) {
			t.Errorf("%q is not in %s", says, r.said)
		}
	}
}

// awaitListed waits until the management plugin, which hears of things a while after they are there,
// lists one of each kind.
func awaitListed(t *testing.T, management string, kinds ...string) {
	t.Helper()
	late := time.Now().Add(time.Minute)
	for _, kind := range kinds {
		for !isListed(t, management+"/api/"+kind) {
			if time.Now().After(late) {
				t.Fatalf("no %s are listed", kind)
			}
			time.Sleep(50 * time.Millisecond)
		}
	}
}

func isListed(t *testing.T, url string) bool {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	defer http.DefaultClient.CloseIdleConnections() // they are no goroutines of what is tested
	var list []any
	if err := json.NewDecoder(response.Body).Decode(&list); err != nil {
		t.Fatal(err)
	}
	return len(list) > 0
}
