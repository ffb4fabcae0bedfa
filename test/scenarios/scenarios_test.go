// Package scenarios plays the scripts of this folder: what the product promises,
// as transcripts, on the in-memory broker and on RabbitMQ.
package scenarios

import (
	"flag"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/script"
)

// TestMain lets four scripts run side by side, unless -parallel has a number: those that harm their
// node one after another, beside them the others.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(rabbit.Main(m))
}

// Every promise holds on the broker that the product brings along.
func TestScenariosOnMemory(t *testing.T) { play(t, script.Params{Brokers: script.Memory()}) }

// And on the one that it is made for.
func TestScenariosOnRabbitMQ(t *testing.T) { play(t, rabbitMQ(t, script.Settings{})) }

// Sharing queues changes what the broker holds, and nothing that is promised.
func TestScenariosOnMemoryWithSharedQueues(t *testing.T) {
	play(t, script.Params{Brokers: script.Memory(), Settings: shared})
}

// Nor does routing in the proxy, with one queue for all streams.
func TestScenariosOnMemoryWithRoutedExchanges(t *testing.T) {
	play(t, script.Params{Brokers: script.Memory(), Settings: routed})
}

func TestScenariosOnRabbitMQWithSharedQueues(t *testing.T) { play(t, rabbitMQ(t, shared)) }

var (
	shared = script.Settings{ShareQueues: true}
	routed = script.Settings{Routed: []string{"exchange/*/task", "exchange/tc/group", "exchange/tc/nowhere"}}
)

func play(t *testing.T, p script.Params) {
	p.Proxy = script.Local
	script.Play(script.T(t), p, scripts(t))
}

// rabbitMQ is the broker that is asked for; another node, of our own, for scripts that
// harm it.
func rabbitMQ(t *testing.T, s script.Settings) script.Params {
	t.Helper()
	brokers, err := script.RabbitMQ(t.Context(), rabbit.Broker(t))
	if err != nil {
		t.Fatal(err)
	}
	breakable, err := script.RabbitMQ(t.Context(), rabbit.RunNamed(t, "breakable"))
	if err != nil {
		t.Fatal(err)
	}
	return script.Params{Brokers: brokers, Breakable: breakable, Settings: s}
}

// A script opens with the claim that it proves.
func TestEveryScenarioOpensWithItsClaim(t *testing.T) {
	for _, file := range scripts(t) {
		if _, err := script.Claim(file); err != nil {
			t.Error(err)
		}
	}
}

func scripts(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("there are no scripts here", err)
	}
	return files
}
