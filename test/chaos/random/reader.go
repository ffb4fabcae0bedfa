package random

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/http/sse"
)

// reader is one client: it opens a stream, reads it to its end, and opens the
// next, until it is told to leave.
type reader struct {
	url    string
	report *Report
	ledger *ledger

	alive  atomic.Bool // a message has come since the last look
	vanish chan struct{}
	gone   atomic.Bool // it vanished: this stream's end needs no reason
}

// backOff is the time between two streams of a client.
const backOff = 50 * time.Millisecond

func newReader(o Options, report *Report, l *ledger) *reader {
	bindings, _ := json.Marshal(map[string]any{
		"bindings": []map[string]string{{"exchange": o.Exchange, "routingKeyPattern": "#"}},
	})
	return &reader{
		url:    o.Proxy + "/api/events/v1/connect/?bindings=" + url.QueryEscape(string(bindings)),
		report: report, ledger: l, vanish: make(chan struct{}, 1),
	}
}

// run reads streams until ctx ends.
func (r *reader) run(ctx context.Context) {
	for ctx.Err() == nil {
		r.gone.Store(false)
		r.read(ctx)
		select {
		case <-ctx.Done():
		case <-time.After(backOff):
		}
	}
}

// read is the life of one stream.
func (r *reader) read(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() { // ends with the stream
		select {
		case <-r.vanish:
			r.gone.Store(true)
			cancel()
		case <-ctx.Done():
		}
	}()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.url, nil)
	if err != nil {
		r.report.violate("a URL that is none: %v", err)
		return
	}
	answer, err := streams.Do(request)
	if err != nil {
		if ctx.Err() == nil {
			r.report.count("not connected")
		}
		return
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		r.report.count(fmt.Sprintf("status %d", answer.StatusCode))
		return
	}
	r.report.count("opened")
	code, err := r.events(answer.Body)
	switch {
	case code != "":
		r.report.count("ended " + code)
	case ctx.Err() != nil:
		r.report.count("left")
	default:
		r.report.violate("a stream ended without a reason: %v", err)
	}
}

// streams is the clients' transport: a connection for each stream.
var streams = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// events reads to the stream's end, and gives the code of its error event.
func (r *reader) events(body io.Reader) (code string, err error) {
	frames := sse.NewDecoder(body)
	last := 0
	for {
		event, err := frames.Next()
		if err != nil {
			return code, err
		}
		switch event.Name {
		case "message":
			last = r.message(event.Data, last)
		case "error":
			var told struct {
				Code      string
				Message   string
				Retryable bool
			}
			if json.Unmarshal([]byte(event.Data), &told) != nil || told.Code == "" {
				r.report.violate("an error without a code: %s", event.Data)
			}
			if !told.Retryable {
				r.report.violate("%s for a request that is right: %s", told.Code, told.Message)
			}
			code = told.Code
		default:
			if code != "" {
				r.report.violate("%s after the error", event.Name)
			}
		}
	}
}

// message checks a message's place in its stream.
func (r *reader) message(data string, last int) int {
	var m struct {
		Payload     struct{ N int }
		Redelivered bool
	}
	if err := json.Unmarshal([]byte(data), &m); err != nil || m.Payload.N == 0 {
		r.report.violate("a message that nobody published: %.100s", data)
		return last
	}
	number := m.Payload.N
	switch {
	case number <= last && !m.Redelivered:
		r.report.violate("message %d came after %d", number, last)
	case last > 0:
		if lost := r.ledger.lost(last, number); lost > 0 {
			r.report.violate("message %d was lost between %d and %d, unsaid", lost, last, number)
		}
	}
	r.alive.Store(true)
	r.report.received()
	return max(last, number)
}
