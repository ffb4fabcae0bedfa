package rabbit

import (
	"cmp"
	"context"
	"encoding/json"
	"strings"
	"time"
)

// StatisticsLag is how old the broker's account of some things may be, see
// Management: it collects statistics every 5 s, unless it was told otherwise.
const StatisticsLag = 5 * time.Second

// scope is the part of a broker that evidence is wanted of. The zero scope is
// everything.
type scope struct {
	vhost      string
	prefix     string // of queues' names
	connection string // its connection_name
	user       string // of connections
}

func (s scope) queue(vhost, name string) bool {
	return cmp.Or(s.vhost, vhost) == vhost && strings.HasPrefix(name, s.prefix)
}

func (s scope) holds(c managedConnection) bool {
	return cmp.Or(s.vhost, c.VHost) == c.VHost && cmp.Or(s.user, c.User) == c.User &&
		cmp.Or(s.connection, c.Properties.is.Name) == c.Properties.is.Name
}

// Of returns what a program has on the broker: one whose queues begin with prefix
// and whose connections bear a name, in a virtual host.
func (m *Management) Of(ctx context.Context, vhost, prefix, connection string) (Snapshot, error) {
	s, err := m.snapshot(ctx, scope{vhost: vhost, prefix: prefix, connection: connection})
	s.Exchanges = nil // no user's in particular
	return s, err
}

// What the plugin lists, as far as it is of interest here.
type (
	managedName struct {
		Name  string `json:"name"`
		VHost string `json:"vhost"`
	}
	managedConsumer struct {
		Queue known[managedName] `json:"queue"`
	}
	managedBinding struct {
		VHost       string `json:"vhost"`
		Source      string `json:"source"`
		Destination string `json:"destination"`
	}
	managedChannel struct {
		Connection known[managedName] `json:"connection_details"`
	}
	managedConnection struct {
		managedName                          // the name is that of the peers: 127.0.0.1:40000 -> 127.0.0.1:5672
		User        string                   `json:"user"`
		Properties  known[managedProperties] `json:"client_properties"`
	}
	managedProperties struct {
		Name string `json:"connection_name"`
	}
)

// known is an object of the plugin's, or the empty list that stands in its place where nothing is known
// of it any more, such as of the connection of a channel whose statistics have outlived it.
type known[T any] struct{ is T }

func (k *known[T]) UnmarshalJSON(text []byte) error {
	if string(text) == "[]" {
		return nil
	}
	return json.Unmarshal(text, &k.is)
}

// listed decodes one of the plugin's lists.
func listed[T any](ctx context.Context, m *Management, path string) (list []T, err error) {
	var answer []known[T]
	err = m.ask(ctx, "GET", path, nil, &answer)
	for _, item := range answer {
		list = append(list, item.is)
	}
	return list, err
}

// counted counts what holds in one of the plugin's lists.
func counted[T any](ctx context.Context, m *Management, path string, holds func(T) bool) (count int, err error) {
	list, err := listed[T](ctx, m, path)
	for _, item := range list {
		if holds(item) {
			count++
		}
	}
	return count, err
}

func (m *Management) snapshot(ctx context.Context, of scope) (s Snapshot, err error) {
	queues, err := listed[managedName](ctx, m, "queues?columns=name,vhost")
	if err != nil {
		return s, err
	}
	for _, q := range queues {
		if of.queue(q.VHost, q.Name) {
			s.Queues = append(s.Queues, q.Name)
		}
	}
	exchanges, err := listed[managedName](ctx, m, "exchanges?columns=name,vhost")
	if err != nil {
		return s, err
	}
	for _, x := range exchanges {
		if cmp.Or(of.vhost, x.VHost) == x.VHost {
			s.Exchanges = append(s.Exchanges, x.Name)
		}
	}
	if s.Consumers, err = counted(ctx, m, "consumers?columns=queue", func(c managedConsumer) bool {
		return of.queue(c.Queue.is.VHost, c.Queue.is.Name)
	}); err != nil {
		return s, err
	}
	if s.Bindings, err = counted(ctx, m, "bindings?columns=vhost,source,destination", func(b managedBinding) bool {
		return b.Source != "" && of.queue(b.VHost, b.Destination)
	}); err != nil {
		return s, err
	}
	peers, err := m.peers(ctx, of)
	if err != nil {
		return s, err
	}
	s.Connections = len(peers)
	s.Channels, err = counted(ctx, m, "channels?columns=connection_details.name", func(c managedChannel) bool { return peers[c.Connection.is.Name] })
	return s.tidy(), err
}

// peers are the connections of a scope, as the plugin names them.
// Those of a user are asked for where the broker keeps track of them at once.
func (m *Management) peers(ctx context.Context, of scope) (map[string]bool, error) {
	path := "connections?columns=name,vhost,user,client_properties.connection_name"
	if of.user != "" {
		path = below("connections/username/", of.user)
	}
	list, err := listed[managedConnection](ctx, m, path)
	peers := map[string]bool{}
	for _, c := range list {
		if of.holds(c) {
			peers[c.Name] = true
		}
	}
	return peers, err
}
