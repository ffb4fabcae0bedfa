package script

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// RabbitMQ makes a virtual host for each script on one node, with a user
// who may do what Pulse allows its users. Scripts that break the node must be
// played alone.
func RabbitMQ(ctx context.Context, node *rabbit.Node) (Brokers, error) {
	err := node.AddUser(ctx, pulseUser, pulsePassword)
	if err != nil { // the user is there where the node was used before
		err = node.ChangePassword(ctx, pulseUser, pulsePassword)
	}
	return rabbits{node}, err
}

type rabbits struct{ node *rabbit.Node }

func (rabbits) Name() string { return "rabbitmq" }
func (rabbits) Shared() bool { return true }

const (
	pulseUser     = "scripts"
	pulsePassword = "not secret"
)

// NodePatience bounds what is asked of a node or a cluster between scripts: nodes may have to start
// first, which takes longer than a minute on a busy machine.
const NodePatience = 3 * time.Minute

func (r rabbits) For(script string) (Broker, error) {
	ctx, cancel := context.WithTimeout(context.Background(), NodePatience)
	defer cancel()
	vhost, err := r.node.VHost(ctx, script, pulseUser, SecretExchanges)
	if err != nil {
		return nil, err
	}
	proxy, err := amqp.NewRabbitMQ(vhost.URL(pulseUser, pulsePassword), amqp.RabbitMQOptions{Name: script})
	if err != nil {
		return nil, err
	}
	admin, err := amqp.NewRabbitMQ(vhost.AdminURL(), amqp.RabbitMQOptions{Name: "publisher of " + script})
	if err != nil {
		return nil, err
	}
	return &rabbitMQ{node: r.node, vhost: vhost, proxy: proxy, admin: admin}, nil
}

type rabbitMQ struct {
	node         *rabbit.Node
	vhost        *rabbit.VHost
	proxy, admin *amqp.RabbitMQ
}

func (r *rabbitMQ) Namespace() string   { return pulseUser }
func (r *rabbitMQ) Dialer() amqp.Dialer { return r.proxy }

// Publisher is an administrator's: Pulse's users may not declare such exchanges.
func (r *rabbitMQ) Publisher(ctx context.Context) (amqp.Publisher, error) {
	return r.admin.Publisher(ctx)
}

// Faults of the node befall every script, those of the virtual host this one.
func (r *rabbitMQ) Faults() map[string]Fault {
	return map[string]Fault{
		"stop":           {Happen: r.node.Stop},
		"start":          {Happen: r.node.Start},
		"kill":           {Happen: func(context.Context) error { return r.node.Kill() }},
		"freeze":         {Happen: func(context.Context) error { return r.node.Freeze() }},
		"thaw":           {Happen: func(context.Context) error { return r.node.Thaw() }},
		"drop-links":     {Happen: r.vhost.CloseConnections},
		"close-channels": {Happen: r.vhost.CloseChannels},
		"delete-queues":  {Happen: r.vhost.DeleteQueues},
	}
}

// Census asks the node.
func (r *rabbitMQ) Census(ctx context.Context) (Census, error) {
	s, err := r.vhost.Snapshot(ctx)
	return CensusOf(s), err
}

// CensusOf counts what a broker's evidence names.
func CensusOf(s rabbit.Snapshot) Census {
	return Census{
		Queues: len(s.Queues), DeadLetters: deadLetters(s.Queues), Consumers: s.Consumers, Bindings: s.Bindings, Channels: s.Channels,
		Exchanges: rabbit.OwnExchanges(s.Exchanges, "exchange/"),
	}
}

// Close leaves a running node behind, for the next script.
func (r *rabbitMQ) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), NodePatience)
	defer cancel()
	r.node.Thaw() // or it was not running, or not frozen, or is not ours
	if err := r.node.Start(ctx); err != nil && !errors.Is(err, rabbit.ErrExternal) {
		return fmt.Errorf("the node does not start again: %w", err)
	}
	return r.vhost.Delete(ctx)
}
