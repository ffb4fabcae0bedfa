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
