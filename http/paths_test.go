package httpapi

import (
	"encoding/json"
	"github.com/taskcluster/events-proxy/http/sse"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The contract of the paths, row by row.

func TestEverySpellingOfConnectIsAStream(t *testing.T) {
	p := start(t, nil)
	_, query, _ := strings.Cut(all, "?")
	for _, root := range []string{"/api/events/v1", "/events/v1", "/v1"} {
		for _, path := range []string{root + "/connect", root + "/connect/"} {
			answer := p.do("GET", path+"?"+query)
			if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != sse.ContentType {
				t.Errorf("%s: %s %v", path, answer.Status, answer.Header)
			}
			r := p.read(answer.Body)
			r.want("ping")
			r.want("ready")
			answer.Body.Close()
		}
	}
	p.gone()
}

func TestEverySpellingOfPingIsAlive(t *testing.T) {
	p := start(t, nil)
	for _, path := range []string{"/api/events/v1/ping", "/events/v1/ping", "/v1/ping"} {
		answer := p.do("GET", path)
		body := decode[struct {
			Alive  bool
			Uptime *float64
		}](t, p.body(answer))
		if answer.StatusCode != http.StatusOK || !body.Alive || body.Uptime == nil || *body.Uptime < 0 {
			t.Errorf("%s: %s %+v", path, answer.Status, body)
		}
		if head := p.do("HEAD", path); head.StatusCode != http.StatusOK || p.body(head) != "" {
			t.Errorf("HEAD %s: %s", path, head.Status)
		}
	}
}

// A load balancer's probe must not make queues.
func TestHeadOfConnectGivesTheStreamsHeadersAndTouchesNoBroker(t *testing.T) {
	p := start(t, nil)
	answer := p.do("HEAD", all)
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != sse.ContentType || p.body(answer) != "" {
		t.Errorf("%s %v", answer.Status, answer.Header)
	}
	if opened := p.system.Stats().Opened; opened != 0 {
		t.Errorf("%d streams were opened", opened)
	}
}

func TestVersionTellsTheBuild(t *testing.T) {
	p := start(t, func(s *settings) { s.Version = Version{Source: "s", Version: "1.2.3", Commit: "c", Build: "b"} })
	if body := p.body(p.do("GET", "/__version__")); body != `{"source":"s","version":"1.2.3","commit":"c","build":"b"}`+"\n" {
		t.Error(body)
	}
}

func TestVersionKnowsTheBinaryWithoutBeingTold(t *testing.T) {
	p := start(t, nil)
	v := decode[Version](t, p.body(p.do("GET", "/__version__")))
	if v.Source == "" || v.Version == "" || v.Build == "" {
		t.Errorf("%+v", v)
	}
}

func TestHeartbeatFollowsTheBrokerAndLbheartbeatDoesNot(t *testing.T) {
	p := start(t, nil)
	status := func(path string) int { return p.do("GET", path).StatusCode }
	if got := status("/__heartbeat__"); got != http.StatusOK {
		t.Errorf("with a broker: %d", got)
	}
	p.broker.Stop()
	await(t, "heartbeat notices", func() bool { return status("/__heartbeat__") == http.StatusServiceUnavailable })
	if got := status("/__lbheartbeat__"); got != http.StatusOK {
		t.Errorf("lbheartbeat without a broker: %d", got)
	}
}

func TestReferenceDescribesTheAPI(t *testing.T) {
	type reference struct {
		Schema      string `json:"$schema"`
		APIVersion  string `json:"apiVersion"`
		ServiceName string `json:"serviceName"`
		Entries     []struct{ Name, Type, Method, Route, Stability, Title, Description string }
	}
	for root, schema := range map[string]string{
		"":                             "/schemas/common/api-reference-v0.json#",
		"https://tc.example.com/it's/": "https://tc.example.com/it's/schemas/common/api-reference-v0.json#",
	} {
		p := start(t, func(s *settings) { s.RootURL = root })
		answer := p.do("GET", "/references/events/v1/api.json")
		var got reference
		if err := json.Unmarshal([]byte(p.body(answer)), &got); err != nil {
			t.Fatal(err)
		}
		if got.Schema != schema || got.APIVersion != "v1" || got.ServiceName != "events" || len(got.Entries) != 2 {
			t.Errorf("%+v", got)
		}
		for _, entry := range got.Entries { // what it describes is there
			if path := "/api/events/v1" + entry.Route; p.do("HEAD", path).StatusCode != http.StatusOK {
				t.Errorf("%s is not there", path)
			}
		}
	}
}

func TestRobotsAreSentAway(t *testing.T) {
	p := start(t, nil)
	if body := p.body(p.do("GET", "/robots.txt")); body != "User-Agent: *\nDisallow: /\n" {
		t.Errorf("%q", body)
	}
}

func TestTheRootIsTheInspector(t *testing.T) {
	p := start(t, nil)
	answer := p.do("GET", "/")
	if answer.StatusCode != http.StatusOK || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") {
		t.Errorf("%s %v", answer.Status, answer.Header)
	}
}

// A root URL with a path: a front may pass that path on, or take it off.
func TestPathsAnswerUnderTheRootURLsPathToo(t *testing.T) {
	p := start(t, func(s *settings) { s.RootURL, s.RootPath = "https://example.com/tc/", "/mounted" })
	for _, root := range []string{"", "/tc", "/mounted"} {
		for _, path := range []string{"/", "/api/events/v1/ping", "/v1/ping", "/__version__", "/__lbheartbeat__", "/references/events/v1/api.json", "/robots.txt"} {
			if answer := p.do("GET", root+path); answer.StatusCode != http.StatusOK {
				t.Errorf("%s: %s", root+path, answer.Status)
			}
		}
		if answer := p.do("HEAD", root+"/v1/connect"); answer.StatusCode != http.StatusOK {
			t.Errorf("%s/v1/connect: %s", root, answer.Status)
		}
	}
}

func TestAHostMayMountTheHandlerBelowAPrefix(t *testing.T) {
	p := start(t, func(s *settings) {
		s.wrap = func(h http.Handler) http.Handler {
			mux := http.NewServeMux()
			mux.Handle("/events/", http.StripPrefix("/events", h))
			return mux
		}
	})
	if answer := p.do("GET", "/events/api/events/v1/ping"); answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
	r := p.read(p.do("GET", "/events"+all).Body)
	r.want("ping")
}

func TestAPathThatAPrefixHasLeftWithoutItsSlashIsNotFound(t *testing.T) {
	h := New(testSystem(t), Options{})
	for _, path := range []string{"", "v1/ping", "x"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.URL.Path = path
		w := newRecorder()
		if h.ServeHTTP(w, r); w.Code != http.StatusNotFound {
			t.Errorf("%q: %d", path, w.Code)
		}
	}
}

// A redirect carries no CORS headers at most proxies, and ends a cross-origin
// EventSource.
func TestNoPathRedirects(t *testing.T) {
	p := start(t, nil)
	for _, path := range []string{"/V1/ping", "/v1/ping/", "//v1/ping", "/v1/../v1/ping", "/robots.txt/", "/api/events/v1"} {
		if answer := p.do("GET", path); answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
}

func TestOptionsOnEveryPathIs204(t *testing.T) {
	p := start(t, nil)
	for _, path := range []string{"/", "/v1/connect", "/events/v1/connect/", "/v1/ping", "/__version__", "/__heartbeat__", "/__lbheartbeat__", "/references/events/v1/api.json", "/robots.txt"} {
		if answer := p.do("OPTIONS", path); answer.StatusCode != http.StatusNoContent || answer.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: %s %v", path, answer.Status, answer.Header)
		}
	}
}

func TestAnotherMethodIs405WithAllow(t *testing.T) {
	p := start(t, nil)
	for _, method := range []string{"POST", "PUT", "DELETE", "PATCH"} {
		answer := p.do(method, all)
		if answer.StatusCode != http.StatusMethodNotAllowed || answer.Header.Get("Allow") != "GET, HEAD, OPTIONS" {
			t.Errorf("%s: %s, Allow %q", method, answer.Status, answer.Header.Get("Allow"))
		}
	}
}

// errorBody is what Taskcluster's services answer.
type errorBody struct {
	Code        string `json:"code"`
	Message     string `json:"message"`
	RequestInfo struct {
		Method  string         `json:"method"`
		Params  map[string]any `json:"params"`
		Payload map[string]any `json:"payload"`
		Time    string         `json:"time"`
	} `json:"requestInfo"`
}

func TestErrorsOutsideAStreamAreJSONAsTaskclustersServicesGive(t *testing.T) {
	p := start(t, nil)
	for _, c := range []struct{ method, path, code, apiMethod string }{
		{"GET", "/nothing", "ResourceNotFound", "GET"},
		{"POST", "/v1/connect", "MethodNotAllowed", "connect"},
		{"POST", "/v1/ping", "MethodNotAllowed", "ping"},
	} {
		answer := p.do(c.method, c.path)
		if got := answer.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("%s: Content-Type %q", c.path, got)
		}
		body := decode[errorBody](t, p.body(answer))
		info := body.RequestInfo
		if body.Code != c.code || body.Message == "" || info.Method != c.apiMethod || info.Params == nil || info.Payload == nil || info.Time == "" {
			t.Errorf("%s %s: %+v", c.method, c.path, body)
		}
	}
}
