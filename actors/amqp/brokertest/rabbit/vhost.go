package rabbit

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
)

// VHost is a virtual host: a broker of one's own, as far as exchanges, queues
// and connections go, so that many scripts can share one node. Connections and
// channels of its administrator are neither counted nor harmed.
//
// In the expressions below VHOST and USER stand for its name and its user's.
type VHost struct {
	node       *Node
	name, user string
}

// VHost makes a virtual host with the node's administrator and a user who may
// do what Pulse allows, and no more: read every exchange but those whose names
// match unreadable ("": all may be read).
func (n *Node) VHost(ctx context.Context, name, user, unreadable string) (*VHost, error) {
	all := Permissions{Configure: ".*", Write: ".*", Read: ".*"}
	pulse := PulseUser(user)
	if unreadable != "" {
		pulse.Read = "^(?!" + unreadable + ")" + strings.TrimPrefix(pulse.Read, "^")
	}
	if err := n.AddVHost(ctx, name); err != nil {
		return nil, err
	}
	if err := n.SetPermissions(ctx, n.administrator().Username(), name, all); err != nil {
		return nil, err
	}
	if err := n.SetPermissions(ctx, user, name, pulse); err != nil {
		return nil, err
	}
	return &VHost{node: n, name: name, user: user}, nil
}

// At is the virtual host as another node of the cluster has it.
func (v *VHost) At(n *Node) *VHost {
	other := *v
	other.node = n
	return &other
}

// Delete removes it with everything inside; its connections are closed.
func (v *VHost) Delete(ctx context.Context) error { return v.node.DeleteVHost(ctx, v.name) }

// URL is how a user reaches it.
func (v *VHost) URL(user, password string) string { return v.node.UserURL(user, password, v.name) }

// AdminURL is how the administrator reaches it.
func (v *VHost) AdminURL() string {
	admin := v.node.administrator()
	password, _ := admin.Password()
	return v.URL(admin.Username(), password)
}

const (
	ofUser = `[P || P <- %[1]s, (catch %[2]s(P, [vhost, user])) =:= [{vhost, VHOST}, {user, USER}]]` // one that ends meanwhile is none

	bindingsHere = `[B || {binding, {resource, _, exchange, X}, _, _, _} = B <- rabbit_binding:list(VHOST), X =/= <<>>]`
)

var (
	connectionsHere = fmt.Sprintf(ofUser, "rabbit_networking:connections()", "rabbit_networking:connection_info")
	channelsHere    = fmt.Sprintf(ofUser, "rabbit_channel:list_local()", "rabbit_channel:info")

	snapshotHere = `#{<<"Queues">> => [N || {resource, _, queue, N} <- [amqqueue:get_name(Q) || Q <- rabbit_amqqueue:list(VHOST)]], ` +
		`<<"Exchanges">> => [N || {resource, _, exchange, N} <- [element(2, X) || X <- rabbit_exchange:list(VHOST)]], ` +
		`<<"Consumers">> => length(rabbit_amqqueue:consumers_all(VHOST)), ` +
		`<<"Channels">> => length(` + channelsHere + `), ` +
		`<<"Connections">> => length(` + connectionsHere + `), ` +
		`<<"Bindings">> => length(` + bindingsHere + `)}`
)

// Snapshot returns what exists in it; of connections and channels, its user's.
func (v *VHost) Snapshot(ctx context.Context) (Snapshot, error) {
	if v.node.management != nil {
		return v.node.management.snapshot(ctx, v.scope())
	}
	var s Snapshot
	err := v.node.evaluate(ctx, v.here(snapshotHere), &s)
	return s.tidy(), err
}

// Exchanges returns the names of its exchanges, by the account of its node alone.
func (v *VHost) Exchanges(ctx context.Context) (names []string, err error) {
	return names, v.node.evaluate(ctx, v.here(`[N || {resource, _, exchange, N} <- [element(2, X) || X <- rabbit_exchange:list(VHOST)]]`), &names)
}

// Messages returns how many messages its queues hold: those that wait, and those that are under way to
// consumers and not acknowledged.
func (v *VHost) Messages(ctx context.Context) (count int, err error) {
	return count, v.node.evaluate(ctx, v.here(`lists:sum([N || Q <- rabbit_amqqueue:list(VHOST), `+
		`{ok, [{_, N}]} <- [catch {ok, rabbit_amqqueue:info(Q, [messages])}]])`), &count) // one that ends meanwhile holds none
}

// CloseConnections ends its user's connections in order (320).
func (v *VHost) CloseConnections(ctx context.Context) error {
	if v.node.management != nil {
		return v.node.management.closeConnections(ctx, v.scope())
	}
	return v.node.evaluate(ctx, v.here(`begin [rabbit_networking:close_connection(C, "closed by an administrator") || C <- `+connectionsHere+`], true end`), nil)
}

// CloseChannels ends its user's channels with 406, as Node.CloseChannels does.
func (v *VHost) CloseChannels(ctx context.Context) error {
	return v.node.evaluate(ctx, v.here(`begin [gen_server:cast(C, {method, {'basic.ack', 18446744073709551615, false}, none, noflow}) || C <- `+channelsHere+`], true end`), nil)
}

// DeleteQueues removes its queues under their consumers; one that goes by itself
// meanwhile is no error.
func (v *VHost) DeleteQueues(ctx context.Context) error {
	return v.node.evaluate(ctx, v.here(`begin [catch rabbit_amqqueue:delete(Q, false, false, <<"admin">>) || Q <- rabbit_amqqueue:list(VHOST)], true end`), nil)
}

// RemakeExchanges deletes its exchanges, but for the broker's own, and makes them again at once: of
// the same types, without their bindings.
func (v *VHost) RemakeExchanges(ctx context.Context) error {
	return v.node.evaluate(ctx, v.here(`begin [begin R = element(2, X), `+
		`rabbit_exchange:delete(R, false, <<"admin">>), `+
		`rabbit_exchange:declare(R, element(3, X), element(4, X), element(5, X), element(6, X), element(7, X), <<"admin">>) end `+
		`|| X <- rabbit_exchange:list(VHOST), {resource, _, exchange, N} <- [element(2, X)], N =/= <<>>, binary:match(N, <<"amq.">>) =/= {0, 4}], true end`), nil)
}

// Publish puts a message with these headers into an exchange, by the management plugin: unlike an
// AMQP client it sends headers of any size.
func (v *VHost) Publish(ctx context.Context, exchange, routingKey string, headers map[string]any, body string) error {
	m, err := v.node.Manage(ctx)
	if err != nil {
		return err
	}
	return m.Publish(ctx, v.name, exchange, routingKey, headers, body)
}

func (v *VHost) scope() scope { return scope{vhost: v.name, user: v.user} }

func (v *VHost) here(expression string) string {
	return strings.NewReplacer("VHOST", literal(v.name), "USER", literal(v.user)).Replace(expression)
}

// literal writes a string so that nothing in it can end the expression.
func literal(s string) string {
	return `base64:decode("` + base64.StdEncoding.EncodeToString([]byte(s)) + `")`
}
