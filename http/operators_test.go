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
