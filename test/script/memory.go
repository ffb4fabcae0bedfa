package script

import (
	"context"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// Memory makes an in-memory broker for each script.
func Memory() Brokers { return memoryBrokers{} }

type memoryBrokers struct{}

func (memoryBrokers) Name() string { return "memory" }
func (memoryBrokers) Shared() bool { return false }

func (memoryBrokers) For(string) (Broker, error) {
	return memory{amqp.NewMemory(amqp.MemoryOptions{
		QueuePrefix: amqp.QueuePrefix(memoryNamespace),
		Heartbeat:   amqp.Heartbeat,
		Readable:    func(exchange string) bool { return exchange != SecretExchange },
	})}, nil
}

const memoryNamespace = "scripts"

// SecretExchange may be declared and published to, but not read by the proxy.
const SecretExchange = SecretExchanges + "task"

type memory struct{ *amqp.Memory }

func (m memory) Namespace() string   { return memoryNamespace }
func (m memory) Dialer() amqp.Dialer { return m.Memory }

// Census counts without asking anybody: the broker is in this process.
func (m memory) Census(context.Context) (Census, error) {
	return Census{
		Queues: len(m.Queues()), DeadLetters: deadLetters(m.Queues()), Consumers: m.Consumers(), Bindings: m.Bindings(), Channels: m.Channels(),
		Exchanges: rabbit.OwnExchanges(m.Exchanges(), "exchange/"),
	}, nil
}

// Faults are the broker's own methods.
func (m memory) Faults() map[string]Fault {
	return map[string]Fault{
		"stop":           at(m.Stop),
		"start":          at(m.Start),
		"kill":           at(m.Stop),
		"freeze":         at(m.Freeze),
		"thaw":           at(m.Thaw),
		"drop-links":     at(m.DropLinks),
		"close-channels": at(m.CloseChannels),
		"delete-queues":  at(m.deleteQueues),
	}
}

func (m memory) deleteQueues() {
	for _, name := range m.Queues() {
		m.DeleteQueue(name)
	}
}

// at makes a fault of what happens at once.
func at(happen func()) Fault {
	return Fault{Happen: func(context.Context) error { happen(); return nil }}
}
