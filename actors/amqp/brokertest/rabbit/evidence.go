package rabbit

import (
	"context"
	"slices"
	"strings"
)

// Queue is a queue as the broker has it.
type Queue struct {
	Name      string
	VHost     string
	Ready     int // messages that wait
	Unacked   int // messages under way
	Consumers int
}

// Snapshot is what exists on the broker, in all virtual hosts, at one moment.
type Snapshot struct {
	Queues      []string // sorted
	Exchanges   []string // sorted, without the broker's own
	Consumers   int
	Channels    int
	Connections int
	Bindings    int // without those that every queue has with the default exchange
}

// Expressions, in the words of RabbitMQ 3.10's modules.
const (
	vhosts = `rabbit_vhost:list_names()`
	queues = `lists:append([rabbit_amqqueue:list(V) || V <- ` + vhosts + `])`

	allConsumers = `lists:append([rabbit_amqqueue:consumers_all(V) || V <- ` + vhosts + `])`
	allBindings  = `[B || V <- ` + vhosts + `, {binding, {resource, _, exchange, X}, _, _, _} = B <- rabbit_binding:list(V), X =/= <<>>]`

	everyQueue = `[begin {resource, V, queue, N} = amqqueue:get_name(Q), ` +
		`[{_, Ready}, {_, Unacked}, {_, Consumers}] = rabbit_amqqueue:info(Q, [messages_ready, messages_unacknowledged, consumers]), ` +
		`#{<<"Name">> => N, <<"VHost">> => V, <<"Ready">> => Ready, <<"Unacked">> => Unacked, <<"Consumers">> => Consumers} end || Q <- ` + queues + `]`

	everyConnection = `[begin [{_, Name}, {_, User}, {_, P}] = rabbit_networking:connection_info(C, [name, user, client_properties]), ` +
		`#{<<"Peer">> => Name, <<"User">> => User, ` +
		`<<"Name">> => case lists:keyfind(<<"connection_name">>, 1, P) of {_, _, G} -> G; false -> <<>> end} ` +
		`end || C <- rabbit_networking:connections()]`

	snapshot = `#{<<"Queues">> => [N || {resource, _, queue, N} <- [amqqueue:get_name(Q) || Q <- ` + queues + `]], ` +
		`<<"Exchanges">> => [N || V <- ` + vhosts + `, {resource, _, exchange, N} <- [element(2, X) || X <- rabbit_exchange:list(V)]], ` +
		`<<"Consumers">> => length(` + allConsumers + `), ` +
		`<<"Channels">> => length(rabbit_channel:list_local()), ` +
		`<<"Connections">> => length(rabbit_networking:connections()), ` +
		`<<"Bindings">> => length(` + allBindings + `)}`

	localQueues = `lists:append([rabbit_amqqueue:list_local(V) || V <- ` + vhosts + `])`

	local = `begin Queues = ` + localQueues + `, ` +
		`#{<<"Queues">> => [N || {resource, _, queue, N} <- [amqqueue:get_name(Q) || Q <- Queues]], ` +
		`<<"Consumers">> => length(lists:append([L || Q <- Queues, {ok, L} <- [catch {ok, rabbit_amqqueue:consumers(Q)}]])), ` + // a queue may end meanwhile
		`<<"Channels">> => length(rabbit_channel:list_local()), ` +
		`<<"Connections">> => length(rabbit_networking:local_connections())} end`
)

// evaluate asks the running node.
func (n *Node) evaluate(ctx context.Context, expression string, result any) error {
	if n.External() {
		return ErrExternal
	}
	n.mu.Lock()
	s, running := n.shell, n.running()
	n.mu.Unlock()
	if !running {
		return ErrNotRunning
	}
	return s.evaluate(ctx, expression, result)
}

// Snapshot returns what exists on the broker. It takes a few milliseconds, and as
// long as ctx on a frozen node.
func (n *Node) Snapshot(ctx context.Context) (Snapshot, error) {
	if n.management != nil {
		return n.management.snapshot(ctx, scope{})
	}
	var s Snapshot
	err := n.evaluate(ctx, snapshot, &s)
	return s.tidy(), err
}

// Local returns what exists on this node of a cluster, and on no other: its
// queues, with their consumers, and the connections and channels of its clients.
// Exchanges and bindings belong to no node, and are left out. Another node that is
// frozen, or out of reach, does not delay the answer.
func (n *Node) Local(ctx context.Context) (Snapshot, error) {
	var s Snapshot
	err := n.evaluate(ctx, local, &s)
	return s.tidy(), err
}

// tidy sorts, and leaves the broker's own exchanges out.
func (s Snapshot) tidy() Snapshot {
	s.Exchanges = slices.DeleteFunc(s.Exchanges, func(name string) bool {
		return name == "" || strings.HasPrefix(name, "amq.")
	})
	slices.Sort(s.Queues)
	slices.Sort(s.Exchanges)
	return s
}

// Queues returns what every queue holds.
func (n *Node) Queues(ctx context.Context) ([]Queue, error) {
	var list []Queue
	err := n.evaluate(ctx, everyQueue, &list)
	return list, err
}

// Connection is an AMQP connection as the broker has it.
type Connection struct {
	Name string // the connection_name that the client has set, or empty
	User string
	Peer string // 127.0.0.1:40000 -> 127.0.0.1:5672
}

// Connections returns the connections that are open.
func (n *Node) Connections(ctx context.Context) ([]Connection, error) {
	var list []Connection
	err := n.evaluate(ctx, everyConnection, &list)
	return list, err
}
