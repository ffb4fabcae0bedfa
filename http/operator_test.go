package httpapi

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

func (p *proxy) operator(method, path string) *httptest.ResponseRecorder {
	w := newRecorder()
	p.handler.Operator().ServeHTTP(w, httptest.NewRequest(method, "http://127.0.0.1:1"+path, nil))
	return w
}

func TestOperatorPathsAreNotPublic(t *testing.T) {
	p := start(t, nil)
	for _, path := range []string{"/metrics", "/__tree__"} {
		if answer := p.do("GET", path); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, answer.Status)
		}
		if w := p.operator("GET", path); w.Code != http.StatusOK {
			t.Errorf("%s for operators: %d", path, w.Code)
		}
	}
	if w := p.operator("GET", "/__heartbeat__"); w.Code != http.StatusOK {
		t.Errorf("/__heartbeat__ for operators: %d", w.Code)
	}
}

func TestMetricsCountStreamsFramesAndEnds(t *testing.T) {
	p := start(t, nil)
	r := p.connect()
	p.publish("a", `1`, `"`+string([]byte{0xff})+`"`)
	r.want("message")
	r.want("message")
	var open string
	for _, want := range []string{
		`events_http_streams{protocol="HTTP/1"} 1`, "events_streams 1", "events_streams_opened_total 1", "events_messages_total 2",
		`events_payloads_encoded_total{encoding="base64"} 1`, "events_links 1", "events_channels 1",
		`events_http_answers_total{status="200"} 1`, "events_http_panics_total 0", "go_goroutines",
	} {
		await(t, want, func() bool { open = p.scrape(); return strings.Contains(open, "\n"+want) })
	}
	if strings.Contains(open, "events_http_written_bytes_total 0") || strings.Contains(open, "events_http_write_seconds_count 0") {
		t.Error("nothing was counted as written")
	}
	p.broker.CloseChannels()
	r.wantError(actors.BrokerLost)
	p.gone()
	for _, want := range []string{`events_http_streams{protocol="HTTP/1"} 0`, "events_streams 0", `events_streams_ended_total{code="BrokerLost"} 1`} {
		await(t, want, func() bool { return strings.Contains(p.scrape(), "\n"+want) })
	}
}

func TestTheTreeShowsTheStreamsActors(t *testing.T) {
	p := start(t, nil)
	p.connect()
	for _, role := range []string{"events", "broker", "connections", "connection", "consumer"} {
		await(t, role, func() bool {
			return strings.Contains(p.operator("GET", "/__tree__").Body.String(), `"role":"`+role+`"`)
		})
	}
}

// Two handlers in one process must not share a registry.
func TestTwoHandlersLiveInOneProcess(t *testing.T) {
	system := testSystem(t)
	New(system, Options{})
	New(system, Options{})
}
