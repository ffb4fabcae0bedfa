package rabbit

import (
	"context"
	"fmt"
	"slices"
)

// Residents are the connections, channels and queues that exist at one moment,
// each by a name that is never used again: what was closed and opened anew is
// another one.
type Residents struct{ Connections, Channels, Queues []string }

const residentNames = `[list_to_binary(pid_to_list(P)) || P <- %s]`

func residents(connections, channels, queues string) string {
	return `#{<<"Connections">> => ` + fmt.Sprintf(residentNames, connections) +
		`, <<"Channels">> => ` + fmt.Sprintf(residentNames, channels) +
		`, <<"Queues">> => [N || {resource, _, queue, N} <- [amqqueue:get_name(Q) || Q <- ` + queues + `]]}`
}

// Residents returns all that are on the node, its administrator's too.
func (n *Node) Residents(ctx context.Context) (r Residents, err error) {
	return r, n.evaluate(ctx, residents("rabbit_networking:connections()", "rabbit_channel:list_local()", queues), &r)
}

// Residents returns those of its user, and all queues.
func (v *VHost) Residents(ctx context.Context) (r Residents, err error) {
	return r, v.node.evaluate(ctx, v.here(residents(connectionsHere, channelsHere, "rabbit_amqqueue:list(VHOST)")), &r)
}

// Gone returns how many of the earlier names are no longer among the later ones,
// and whether that is all of them, and some.
func Gone(earlier, later []string) (count int, all bool) {
	for _, name := range earlier {
		if !slices.Contains(later, name) {
			count++
		}
	}
	return count, count > 0 && count == len(earlier)
}

// Alarms returns how many alarms of memory or disk the node has raised, by its
// own account.
func (n *Node) Alarms(ctx context.Context) (count int, err error) {
	return count, n.evaluate(ctx, `length(rabbit_alarm:get_alarms())`, &count)
}

// Version returns the broker's release.
func (n *Node) Version(ctx context.Context) (version string, err error) {
	return version, n.evaluate(ctx, `list_to_binary(rabbit_misc:version())`, &version)
}
