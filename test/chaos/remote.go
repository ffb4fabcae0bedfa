package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors"
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

// Snapshot asks the operators' listener.
func (r Remote) Snapshot(ctx context.Context) (actors.Snapshot, error) {
	s, err := r.picture(ctx)
	return s.Snapshot, err
}

// picture is the live tree, and whether its actors can be made to fail.
type picture struct {
	actors.Snapshot
	Chaos bool `json:"chaos"`
}

func (r Remote) picture(ctx context.Context) (s picture, err error) {
	return s, r.ask(ctx, "/__tree__", &s)
}

// Ends asks the operators' listener.
func (r Remote) Ends(ctx context.Context, after int64) (list []actors.StreamEnd, err error) {
	return list, r.ask(ctx, "/__tree__/ends?after="+strconv.FormatInt(after, 10), &list)
}

// ask reads the answer of the operators' listener, which is JSON.
func (r Remote) ask(ctx context.Context, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Operators+path, nil)
	if err != nil {
		return err
	}
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	return json.NewDecoder(answer.Body).Decode(into)
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
	if answer.StatusCode == http.StatusOK {
		return nil
	}
	if s, err := r.picture(ctx); err == nil && !s.Chaos {
		return fmt.Errorf("%w: crash %s: the proxy was started without --chaos", script.ErrNotHere, role)
	}
	return fmt.Errorf("crash %s %s: %s", role, stream, answer.Status)
}

// Version returns what the proxy says of its build.
func (r Remote) Version(ctx context.Context) string {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.Proxy+"/__version__", nil)
	if err != nil {
		return "unknown: " + err.Error()
	}
	answer, err := client.Do(request)
	if err != nil {
		return "unknown: " + err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 4096))
	if err != nil || answer.StatusCode != http.StatusOK {
		return "unknown: " + answer.Status
	}
	return strings.TrimSpace(string(text))
}

// Drain returns an error: a proxy that runs already is drained by its operator.
func (Remote) Drain(context.Context, time.Duration) error {
	return fmt.Errorf("%w: a proxy that was attached by its URL is not ours to drain", script.ErrNotHere)
}

// Close leaves it running.
func (Remote) Close() error { return nil }
