package httpapi

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/sse"
)

// An operator ends one stream; its client is told, and may come back.
func TestAnOperatorEndsAStream(t *testing.T) {
	p := start(t, nil)
	r := p.connect()
	id := p.system.Snapshot().Streams[0].ID
	if w := p.operator("POST", "/__tree__/end?stream="+id); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if frame := r.want("error"); !strings.Contains(frame, `"code":"ServerShutdown"`) {
		t.Fatal(frame)
	}
	if w := p.operator("POST", "/__tree__/end?stream=nobody"); w.Code != http.StatusNotFound {
		t.Fatalf("a stream that is not there: %d", w.Code)
	}
}

// Actors can be made to fail only where both sides' options allow it.
func TestCrashingNeedsChaos(t *testing.T) {
	p := start(t, nil)
	if w := p.operator("POST", "/__chaos__/crash?role=broker"); w.Code != http.StatusNotFound {
		t.Fatalf("without chaos: %d", w.Code)
	}
	p = start(t, func(s *settings) { s.Chaos = true })
	r := p.connect()
	id := p.system.Snapshot().Streams[0].ID
	if w := p.operator("POST", "/__chaos__/crash?role=worker&stream="+id); w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if frame := r.want("error"); !strings.Contains(frame, `"code":"InternalError"`) {
		t.Fatal(frame)
	}
}

// A page elsewhere cannot act in an operator's name.
func TestAPageElsewhereCannotEndStreams(t *testing.T) {
	p := start(t, nil)
	request := httptest.NewRequest("POST", "http://127.0.0.1:1/__tree__/end?stream=x", nil)
	request.Header.Set("Sec-Fetch-Site", "cross-site")
	w := newRecorder()
	p.handler.Operator().ServeHTTP(w, request)
	if w.Code != http.StatusForbidden {
		t.Fatalf("%d", w.Code)
	}
}

// What a program follows is not pushed out of sight by a crowd: it asks for the ends after the last
// that it knows.
func TestTheEndsOfStreamsAreReadByTheirNumbers(t *testing.T) {
	p := start(t, nil)
	ends := func(query string) (list []actors.StreamEnd) {
		if w := p.operator("GET", "/__tree__/ends"+query); w.Code != http.StatusOK || json.Unmarshal(w.Body.Bytes(), &list) != nil || list == nil {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		return list
	}
	if list := ends(""); len(list) != 0 {
		t.Fatalf("before any: %+v", list)
	}
	for range 2 {
		r := p.connect()
		p.broker.CloseChannels()
		r.wantError(actors.BrokerLost)
	}
	p.gone()
	await(t, "two ends", func() bool { return len(ends("")) == 2 })
	if list := ends("?after=1"); len(list) != 1 || list[0].Number != 2 || list[0].Code != actors.BrokerLost {
		t.Errorf("after the first: %+v", list)
	}
	for _, wrong := range []string{"many", "-1"} {
		if w := p.operator("GET", "/__tree__/ends?after="+wrong); w.Code != http.StatusBadRequest {
			t.Errorf("after=%s: %d", wrong, w.Code)
		}
	}
}

func TestTheTreeComesAsAnEventStream(t *testing.T) {
	p := start(t, nil)
	p.connect()
	operators := httptest.NewServer(p.handler.Operator())
	defer operators.Close()
	defer operators.Client().CloseIdleConnections()
	answer, err := operators.Client().Get(operators.URL + "/__tree__/events?streams=5")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	frames := sse.NewDecoder(answer.Body)
	for range 2 {
		event, err := frames.Next()
		if err != nil {
			t.Fatal(err)
		}
		var now actors.Snapshot
		if err := json.Unmarshal([]byte(event.Data), &now); err != nil || event.Name != "tree" || len(now.Streams) != 1 || len(now.Actors) < 5 {
			t.Fatalf("%v %s %s", err, event.Name, event.Data)
		}
	}
	if w := p.operator("GET", "/__tree__/events?streams=many"); w.Code != http.StatusBadRequest {
		t.Fatalf("%d", w.Code)
	}
}
