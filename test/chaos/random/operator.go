package random

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// operator speaks to the proxy's operators' listener.
type operator struct {
	url    string
	client *http.Client
}

// operatorPatience bounds one question.
const operatorPatience = 10 * time.Second

// newOperator keeps no connection open: it would be a goroutine in the proxy
// that the run itself put there.
func newOperator(url string) *operator {
	return &operator{url: url, client: &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true}, Timeout: operatorPatience,
	}}
}

// picture is the live tree, and whether its actors can be made to fail.
type picture struct {
	actors.Snapshot
	Chaos bool `json:"chaos"`
}

func (o *operator) tree(ctx context.Context) (now picture, err error) {
	answer, err := o.do(ctx, http.MethodGet, "/__tree__")
	if err != nil {
		return now, err
	}
	defer answer.Body.Close()
	return now, json.NewDecoder(answer.Body).Decode(&now)
}

// ends returns the streams that have ended, after the one of a number, oldest first.
func (o *operator) ends(ctx context.Context, after int64) (list []actors.StreamEnd, err error) {
	answer, err := o.do(ctx, http.MethodGet, "/__tree__/ends?after="+strconv.FormatInt(after, 10))
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	return list, json.NewDecoder(answer.Body).Decode(&list)
}

// crash makes an actor fail.
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

func (o *operator) do(ctx context.Context, method, path string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, o.url+path, nil)
	if err != nil {
		return nil, err
	}
	answer, err := o.client.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		answer.Body.Close()
		if answer.StatusCode == http.StatusNotFound && strings.Contains(path, "stream=") && !strings.HasSuffix(path, "stream=") {
			return nil, errors.New("the stream had ended when it was to be harmed")
		}
		return nil, fmt.Errorf("%s %s: %s", method, strings.SplitN(path, "?", 2)[0], answer.Status)
	}
	return answer, nil
}

// vitals are the process's own figures.
type vitals struct {
	goroutines, descriptors, resident, heap float64
	wrongRequests                           float64 // told InvalidBindings
}

func (o *operator) vitals(ctx context.Context) (v vitals, err error) {
	answer, err := o.do(ctx, http.MethodGet, "/metrics")
	if err != nil {
		return v, err
	}
	defer answer.Body.Close()
	figures := map[string]*float64{
		"go_goroutines": &v.goroutines, "process_open_fds": &v.descriptors,
		"process_resident_memory_bytes": &v.resident, "go_memstats_heap_alloc_bytes": &v.heap,
		`events_http_refusals_total{code="InvalidBindings"}`: &v.wrongRequests,
	}
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), " ")
		if figure := figures[name]; figure != nil {
			if *figure, err = strconv.ParseFloat(value, 64); err != nil {
				return v, err
			}
		}
	}
	if err := lines.Err(); err != nil {
		return v, err
	}
	if v.goroutines == 0 {
		return v, fmt.Errorf("no go_goroutines in /metrics")
	}
	return v, nil
}
