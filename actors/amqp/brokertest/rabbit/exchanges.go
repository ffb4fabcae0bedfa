package rabbit

import (
	"context"
	"fmt"
)

// What an administrator does with exchanges. Each of these has happened when it returns without an
// error.

// DeclareExchange makes an exchange of any type that the broker knows.
func (n *Node) DeclareExchange(ctx context.Context, vhost, exchange, kind string) error {
	return n.command(ctx, `begin rabbit_exchange:declare({resource, %s, exchange, %s}, binary_to_existing_atom(%s, utf8), false, false, false, [], <<"admin">>), true end`,
		vhost, exchange, kind)
}

// BindExchange makes what is published to one exchange of a virtual host, with a routing key that
// matches the pattern, come to another one too.
func (n *Node) BindExchange(ctx context.Context, vhost, from, pattern, to string) error {
	return n.command(ctx, `begin ok = rabbit_binding:add({binding, {resource, %[1]s, exchange, %[2]s}, %[3]s, {resource, %[1]s, exchange, %[4]s}, []}, <<"admin">>), true end`,
		vhost, from, pattern, to)
}

// SetAlternate makes what is published to an exchange of a virtual host, and wanted by no queue,
// come to another exchange, by a policy.
func (n *Node) SetAlternate(ctx context.Context, vhost, from, to string) error {
	return n.command(ctx, `begin ok = rabbit_policy:parse_set(%s, <<"alternate">>, %s, %s, <<"0">>, <<"exchanges">>, <<"admin">>), true end`,
		vhost, "^"+from+"$", fmt.Sprintf(`{"alternate-exchange":%q}`, to))
}
