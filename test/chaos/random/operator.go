package random

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
)

// operator speaks to the proxy's operator's listener.
type operator struct {
	url    string
	client *http.Client
}

// newOperator keeps no connection open: it would be a goroutine in the proxy
// that the run itself put there.
func newOperator(url string) *operator {
	return &operator{url: url, client: &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}}
}

// tree gives the live tree.
func (o *operator) tree(ctx context.Context) (now actors.Snapshot, err error) {
	answer, err := o.do(ctx, http.MethodGet, "/__tree__")
	if err != nil {
		return now, err
	}
	defer answer.Body.Close()
	return now, json.NewDecoder(answer.Body).Decode(&now)
}

// crash makes an actor fail. That it is gone already is no error.
func (o *operator) crash(ctx context.Context, role actors.Role, stream string) error {
	return o.act(ctx, "/__chaos__/crash?role="+url.QueryEscape(string(role))+"&stream="+url.QueryEscape(stream))
}

// end ends a stream by hand.
func (o *operator) end(ctx context.Context, stream string) error {
	return o.act(ctx, "/__tree__/end?stream="+url.QueryEscape(stream))
}

func (o *operator) act(ctx context.Context, path string) error {
	answer, err := o.do(ctx, http.MethodPost, path)
	if err == nil {
		answer.Body.Close()
	}
	return err
}

// do asks; 404 to an act says that its object has gone.
func (o *operator) do(ctx context.Context, method, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, o.url+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := o.client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK && (method == http.MethodGet || answer.StatusCode != http.StatusNotFound) {
		answer.Body.Close()
		return nil, fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	return answer, nil
}

// vitals are the process's own figures.
type vitals struct{ goroutines, memory float64 }

func (o *operator) vitals(ctx context.Context) (v vitals, err error) {
	answer, err := o.do(ctx, http.MethodGet, "/metrics")
	if err != nil {
		return v, err
	}
	defer answer.Body.Close()
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		switch name {
		case "go_goroutines":
			v.goroutines, err = strconv.ParseFloat(value, 64)
		case "process_resident_memory_bytes":
			v.memory, err = strconv.ParseFloat(value, 64)
		}
		if err != nil {
			return v, err
		}
	}
	if v.goroutines == 0 {
		return v, fmt.Errorf("no go_goroutines in /metrics")
	}
	return v, nil
}
