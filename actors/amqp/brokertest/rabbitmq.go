package brokertest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// StatisticsLag is how often RabbitMQ collects statistics, unless it is told otherwise
// (collect_statistics_interval): consumers, channels and connections are known from them.
const StatisticsLag = 5 * time.Second

// Managed is a RabbitMQ that is asked through its management plugin.
type Managed struct {
	URL   string // http://user:password@host:15672, of a user tagged as monitoring or administrator
	VHost string // whose part of the broker is counted

	// StatisticsLag is the broker's collect_statistics_interval; default StatisticsLag.
	// Clean waits for so long before it believes that nothing is left.
	StatisticsLag time.Duration
}

// RabbitMQ returns the broker whose management plugin has an address, such as
// http://guest:guest@localhost:15672.
func RabbitMQ(address, vhost string) *Managed { return &Managed{URL: address, VHost: vhost} }

// Lag is the age that the plugin's statistics may have.
func (m *Managed) Lag() time.Duration {
	if m.StatisticsLag == 0 {
		return StatisticsLag
	}
	return m.StatisticsLag
}

// item is any element of the plugin's lists.
type item struct {
	Name, Source, Destination string
	PropertiesKey             string `json:"properties_key"`
	ConsumerTag               string `json:"consumer_tag"`
	Queue                     struct{ Name string }
}

// Census asks the plugin for its lists. Its error names the list, never a password.
func (m *Managed) Census(ctx context.Context) (c Census, err error) {
	for _, list := range []struct {
		path string
		into *[]string
		name func(item) string // "": not counted
	}{
		{"queues/%s?columns=name", &c.Queues, func(i item) string { return i.Name }},
		{"exchanges/%s?columns=name", &c.Exchanges, func(i item) string {
			if strings.HasPrefix(i.Name, "amq.") {
				return ""
			}
			return i.Name
		}},
		{"bindings/%s", &c.Bindings, func(i item) string {
			if i.Source == "" {
				return ""
			}
			return i.Source + " → " + i.Destination + " " + i.PropertiesKey
		}},
		{"consumers/%s", &c.Consumers, func(i item) string { return i.ConsumerTag + " of " + i.Queue.Name }},
		{"vhosts/%s/channels?columns=name", &c.Channels, func(i item) string { return i.Name }},
		{"vhosts/%s/connections?columns=name", &c.Connections, func(i item) string { return i.Name }},
	} {
		items, err := m.list(ctx, fmt.Sprintf(list.path, url.PathEscape(m.VHost)))
		if err != nil {
			return c, err
		}
		for _, i := range items {
			if name := list.name(i); name != "" {
				*list.into = append(*list.into, name)
			}
		}
	}
	return c, nil
}

// list asks for one of the plugin's lists.
func (m *Managed) list(ctx context.Context, path string) (items []item, err error) {
	address, err := url.Parse(m.URL)
	if err != nil || address.Host == "" {
		return nil, fmt.Errorf("brokertest: the management plugin's address is http://user:password@host:15672")
	}
	user := address.User
	address.User = nil
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(address.String(), "/")+"/api/"+path, nil)
	if err != nil {
		return nil, err
	}
	if password, ok := user.Password(); ok {
		request.SetBasicAuth(user.Username(), password)
	}
	// A connection that stays open would be a goroutine that the test has left.
	transport := &http.Transport{DisableKeepAlives: true}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		return nil, fmt.Errorf("brokertest: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("brokertest: GET %s: %s", path, answer.Status)
	}
	if err := json.NewDecoder(answer.Body).Decode(&items); err != nil {
		return nil, fmt.Errorf("brokertest: GET %s: %w", path, err)
	}
	return items, nil
}
