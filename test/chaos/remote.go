package chaos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/test/script"
)

// Remote is a proxy that runs somewhere, with --chaos; a script.Proxy that can
// neither be drained nor closed.
type Remote struct {
	Proxy     string // its URL, without a slash at the end
	Operators string // of its operator's listener
}

// client keeps no connections: they would be goroutines of the proxy's.
var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// URL is where it listens.
func (r Remote) URL() string { return r.Proxy }

// Snapshot asks the operator's listener.
func (r Remote) Snapshot(ctx context.Context) (s actors.Snapshot, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Operators+"/__tree__", nil)
	if err != nil {
		return s, err
	}
	answer, err := client.Do(request)
	if err != nil {
		return s, err
	}
	defer answer.Body.Close()
	return s, json.NewDecoder(answer.Body).Decode(&s)
}

// Unclosed is the proxy's own account; a census of the broker is the proof.
func (r Remote) Unclosed(ctx context.Context) (int64, error) {
	s, err := r.Snapshot(ctx)
	return s.Stats.Workers, err
}

// Crash asks the operator's listener.
func (r Remote) Crash(ctx context.Context, role actors.Role, stream string) error {
	query := url.Values{"role": {string(role)}, "stream": {stream}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Operators+"/__chaos__/crash?"+query.Encode(), nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("crash %s %s: %s; was the proxy started with --chaos?", role, stream, answer.Status)
	}
	return nil
}

// Drain is for whoever started the proxy.
func (Remote) Drain(context.Context, time.Duration) error {
	return errors.New("a proxy that was attached by its URL is not ours to drain")
}

// Close leaves it running.
func (Remote) Close() error { return nil }

// Attached plays scripts against a proxy and a broker that run already. What
// needs their processes fails and says so.
type Attached struct {
	Remote
	Broker string // AMQP URL of somebody who may declare and publish to exchange/tc/task
}

// Name is the condition that holds in scripts.
func (Attached) Name() string { return "rabbitmq" }

// Shared says that scripts see each other.
func (Attached) Shared() bool { return true }

// For gives the one broker.
func (a Attached) For(string) (script.Broker, error) {
	dialer, err := amqp.NewRabbitMQ(a.Broker, amqp.RabbitMQOptions{Name: "events-chaos"})
	return attached{a, dialer}, err
}

// ForScripts gives the one proxy, which cannot be started with other settings.
func (a Attached) ForScripts(_ script.Broker, s script.Settings) (script.Proxy, error) {
	asked := s
	asked.ShareQueues = false
	if len(flags(attached{a, nil}, asked)) > 2 { // beside the namespace
		return nil, errors.New("the script asks for settings, and the proxy was attached as it is")
	}
	return a.Remote, nil
}

type attached struct {
	Attached
	dialer *amqp.RabbitMQ
}

func (a attached) Namespace() string   { return "attached" }
func (a attached) Dialer() amqp.Dialer { return a.dialer }
func (a attached) Publisher(ctx context.Context) (amqp.Publisher, error) {
	return a.dialer.Publisher(ctx)
}
func (a attached) Faults() map[string]script.Fault { return nil }

// Census is the proxy's own account: AMQP does not tell what others hold.
func (a attached) Census(ctx context.Context) (script.Census, error) {
	s, err := a.Snapshot(ctx)
	n := int(s.Stats.Workers)
	return script.Census{Queues: n, Consumers: n, Channels: n}, err
}
