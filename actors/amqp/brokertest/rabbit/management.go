package rabbit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

// Management asks a broker that others run, through the HTTP API of its
// management plugin. Its methods may be called concurrently.
//
// Queues, bindings, exchanges and the connections of a user are told as they
// are. Consumers, channels and connections by name come from the broker's
// statistics, which are up to StatisticsLag old.
//
// Source:
// https://rawcdn.githack.com/rabbitmq/rabbitmq-server/v3.10.8/deps/rabbitmq_management/priv/www/api/index.html
type Management struct {
	base   string // without a slash at the end
	user   *url.Userinfo
	client *http.Client
}

// NewManagement takes the address of the plugin, with a user whom the broker
// has tagged as monitoring or administrator: http://user:password@host:15672.
func NewManagement(address string) (*Management, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return nil, errors.New("rabbit: the management plugin's address is http://user:password@host:15672")
	}
	m := &Management{user: u.User, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
	u.User = nil
	m.base = strings.TrimSuffix(u.String(), "/")
	return m, nil
}

// errNotFound means that the object of a request does not exist.
var errNotFound = errors.New("rabbit: management: not found")

// ask sends a request below /api/ and decodes the answer, if there is a result
// to decode into.
func (m *Management) ask(ctx context.Context, method, path string, body, result any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, method, m.base+"/api/"+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	if password, ok := m.user.Password(); ok {
		request.SetBasicAuth(m.user.Username(), password)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := m.client.Do(request)
	if err != nil {
		return fmt.Errorf("rabbit: management: %w", err)
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(answer.Body)
	switch {
	case err != nil:
		return fmt.Errorf("rabbit: management: %w", err)
	case answer.StatusCode == http.StatusNotFound:
		return fmt.Errorf("%w: %s", errNotFound, path)
	case answer.StatusCode >= 300:
		return fmt.Errorf("rabbit: management: %s %s: %s %s", method, path, answer.Status, said)
	case result == nil:
		return nil
	}
	return json.Unmarshal(said, result)
}
