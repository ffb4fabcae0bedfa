package rabbit

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
)

// What an operator can restrict. Each of these is in effect when it returns without an error.

// LimitChannels lets a user have at most so many channels in all, as rabbitmqctl set_user_limits
// does: the broker ends the connection on which the next is opened. A negative number removes the
// limit.
func (n *Node) LimitChannels(ctx context.Context, user string, most int) error {
	if most < 0 {
		return n.command(ctx, `begin rabbit_auth_backend_internal:clear_user_limits(%s, <<"max-channels">>, <<"admin">>), true end`, user)
	}
	return n.command(ctx, `begin ok = rabbit_auth_backend_internal:set_user_limits(%s, #{<<"max-channels">> => `+strconv.Itoa(most)+`}, <<"admin">>), true end`, user)
}

// LimitQueues lets a virtual host have at most so many queues, as rabbitmqctl set_vhost_limits
// does. A negative number removes the limit.
func (n *Node) LimitQueues(ctx context.Context, vhost string, most int) error {
	if most < 0 {
		return n.command(ctx, `begin rabbit_vhost_limit:clear(%s, <<"admin">>), true end`, vhost)
	}
	return n.command(ctx, `begin ok = rabbit_vhost_limit:set(%s, [{<<"max-queues">>, `+strconv.Itoa(most)+`}], <<"admin">>), true end`, vhost)
}

// NegotiateChannels lets connections that are opened from now on have at most so many channels.
func (n *Node) NegotiateChannels(ctx context.Context, most int) error {
	return n.command(ctx, `begin ok = application:set_env(rabbit, channel_max, `+strconv.Itoa(most)+`), true end`)
}

// EnablePlugin enables a plugin that ships with the broker while it runs.
func (n *Node) EnablePlugin(ctx context.Context, plugin string) error {
	if n.External() {
		return ErrExternal
	}
	if err := n.furnish(func(string) bool { return true }); err != nil { // it may need others
		return err
	}
	file := filepath.Join(n.dir, "enabled_plugins")
	if err := os.WriteFile(file, []byte("["+plugin+"].\n"), 0o600); err != nil {
		return err
	}
	return n.command(ctx, `begin {ok, _, _} = rabbit_plugins:ensure(binary_to_list(%s)), true end`, file)
}

// SetPolicy applies a definition, in JSON, to the queues of a virtual host whose names match, as
// rabbitmqctl set_policy does.
func (n *Node) SetPolicy(ctx context.Context, vhost, name, queues, definition string) error {
	return n.command(ctx, `begin ok = rabbit_policy:parse_set(%s, %s, %s, %s, <<"0">>, <<"queues">>, <<"admin">>), true end`,
		vhost, name, queues, definition)
}
