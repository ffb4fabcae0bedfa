package rabbit

import (
	"context"
	"fmt"
	"time"
)

// What an administrator can do to a broker. Each of these has happened when it
// returns without an error.

// DeleteQueue removes a queue of the virtual host "/" under its consumers.
func (n *Node) DeleteQueue(ctx context.Context, queue string) error {
	return n.command(ctx, `begin {ok, Q} = rabbit_amqqueue:lookup({resource, <<"/">>, queue, %s}), `+
		`{ok, _} = rabbit_amqqueue:delete(Q, false, false, <<"admin">>), true end`, queue)
}

// DeleteExchange removes an exchange of the virtual host "/" with its bindings.
func (n *Node) DeleteExchange(ctx context.Context, exchange string) error {
	return n.command(ctx, `begin rabbit_exchange:delete({resource, <<"/">>, exchange, %s}, false, <<"admin">>), true end`, exchange)
}

// CloseConnections ends every connection in order (320), as rabbitmqctl
// close_all_connections does.
func (n *Node) CloseConnections(ctx context.Context) error {
	return n.command(ctx, `begin [rabbit_networking:close_connection(C, "closed by an administrator") || C <- rabbit_networking:connections()], true end`)
}

// CloseChannels ends every channel with 406 and leaves the connections alive,
// as the broker does to a consumer that never acknowledges: an acknowledgement
// that no publisher sent is put into each.
func (n *Node) CloseChannels(ctx context.Context) error {
	return n.command(ctx, `begin [gen_server:cast(C, {method, {'basic.ack', 18446744073709551615, false}, none, noflow}) || C <- rabbit_channel:list_local()], true end`)
}

// AddUser makes a user without any permission.
func (n *Node) AddUser(ctx context.Context, user, password string) error {
	if n.management != nil {
		return n.management.addUser(ctx, user, password)
	}
	return n.command(ctx, `begin ok = rabbit_auth_backend_internal:add_user(%s, %s, <<"admin">>), true end`, user, password)
}

// DeleteUser removes a user; its connections go on.
func (n *Node) DeleteUser(ctx context.Context, user string) error {
	if n.management != nil {
		return n.management.deleteUser(ctx, user)
	}
	return n.command(ctx, `begin rabbit_auth_backend_internal:delete_user(%s, <<"admin">>), true end`, user)
}

// ChangePassword concerns the next connections of the user.
func (n *Node) ChangePassword(ctx context.Context, user, password string) error {
	if n.management != nil {
		return n.management.addUser(ctx, user, password)
	}
	return n.command(ctx, `begin rabbit_auth_backend_internal:change_password(%s, %s, <<"admin">>), true end`, user, password)
}

// Permissions are regular expressions for the names of queues and exchanges.
type Permissions struct{ Configure, Write, Read string }

// PulseUser is what Pulse allows its users: queues and exchanges of their own,
// everybody's exchanges to read.
func PulseUser(user string) Permissions {
	own := "^(queue/" + user + "/.*|exchange/" + user + "/.*)"
	return Permissions{Configure: own, Write: own, Read: "^(queue/" + user + "/.*|exchange/.*)"}
}

// SetPermissions allows a user something in a virtual host.
func (n *Node) SetPermissions(ctx context.Context, user, vhost string, p Permissions) error {
	if n.management != nil {
		return n.management.setPermissions(ctx, user, vhost, p)
	}
	return n.command(ctx, `begin rabbit_auth_backend_internal:set_permissions(%s, %s, %s, %s, %s, <<"admin">>), true end`,
		user, vhost, p.Configure, p.Write, p.Read)
}

// AddVHost makes a virtual host.
func (n *Node) AddVHost(ctx context.Context, vhost string) error {
	if n.management != nil {
		return n.management.addVHost(ctx, vhost)
	}
	return n.command(ctx, `begin rabbit_vhost:add(%s, <<"admin">>), true end`, vhost)
}

// DeleteVHost removes a virtual host, and with it its connections.
func (n *Node) DeleteVHost(ctx context.Context, vhost string) error {
	if n.management != nil {
		return n.management.deleteVHost(ctx, vhost)
	}
	return n.command(ctx, `begin rabbit_vhost:delete(%s, <<"admin">>), true end`, vhost)
}

// SetMemoryAlarm makes the broker believe that its memory is used up, or no
// longer: with the alarm on, it stops reading from connections that publish.
func (n *Node) SetMemoryAlarm(ctx context.Context, on bool) error {
	if on {
		return n.command(ctx, `begin rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}), true end`)
	}
	return n.command(ctx, `begin rabbit_alarm:clear_alarm({resource_limit, memory, node()}), true end`)
}

// SetAcknowledgementTimeout sets how long a consumer may leave a delivery unacknowledged before its
// channel is closed, for channels that are opened from now on. Zero is the broker's default.
func (n *Node) SetAcknowledgementTimeout(ctx context.Context, timeout time.Duration) error {
	look := time.Second // how often channels are looked at
	if timeout == 0 {
		timeout, look = 30*time.Minute, time.Minute
	}
	return n.evaluate(ctx, fmt.Sprintf(`begin application:set_env(rabbit, consumer_timeout, %d), `+
		`application:set_env(rabbit, channel_tick_interval, %d), true end`, timeout.Milliseconds(), look.Milliseconds()), nil)
}

// EndsIdleConsumers reports whether the broker has that timeout for the queues of streams: RabbitMQ
// has it for quorum queues alone from 4.3 on.
func (n *Node) EndsIdleConsumers(ctx context.Context) (bool, error) {
	version, err := n.Version(ctx)
	if err != nil {
		return false, err
	}
	var major, minor int
	if _, err := fmt.Sscanf(version, "%d.%d", &major, &minor); err != nil {
		return false, fmt.Errorf("rabbit: version %q: %w", version, err)
	}
	return major < 4 || major == 4 && minor < 3, nil
}

// command evaluates an expression into which strings are put as binaries.
func (n *Node) command(ctx context.Context, expression string, arguments ...string) error {
	literals := make([]any, len(arguments))
	for i, a := range arguments {
		literals[i] = literal(a)
	}
	return n.evaluate(ctx, fmt.Sprintf(expression, literals...), nil)
}
