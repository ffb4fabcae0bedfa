package httpapi

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// A page elsewhere that has its own name point at this address (DNS rebinding) is
// of the same origin for the browser. Its Host header shows it.
func TestTheOperatorsListenerAnswersOnlyUnderNamesThatAreItsOwn(t *testing.T) {
	p := start(t, func(s *settings) { s.OperatorHosts, s.Chaos = []string{"ops.example.org"}, true })
	p.connect()
	ask := func(method, path, host string) int {
		r := httptest.NewRequest(method, path, nil)
		r.Host = host
		w := newRecorder()
		p.handler.Operator().ServeHTTP(w, r)
		return w.Code
	}
	for _, host := range []string{"127.0.0.1", "127.0.0.1:12346", "[::1]:12346", "[::1]", "10.1.2.3:80", "localhost", "LOCALHOST:1", "localhost.", "ops.example.org", "Ops.Example.org:12346"} {
		if got := ask("GET", "/__tree__", host); got != http.StatusOK {
			t.Errorf("%s: %d", host, got)
		}
	}
	for _, host := range []string{"rebound.example.com", "rebound.example.com:12346", "127.0.0.1.example.com", "localhost.example.com", "ops.example.org.example.com", ""} {
		for method, path := range map[string]string{"GET": "/__tree__", "POST": "/__chaos__/crash?role=broker"} {
			if got := ask(method, path, host); got != http.StatusForbidden {
				t.Errorf("%s %s for %q: %d", method, path, host, got)
			}
		}
	}
	if failures := p.system.Stats().Failures; failures != 0 {
		t.Errorf("%d actors were made to fail", failures)
	}
}

// A token that has leaked is replaced without a restart; so are the names.
func TestTheOperatorsTokenAndNamesChangeWhileServing(t *testing.T) {
	h := New(testSystem(t), Options{OperatorToken: "old", OperatorHosts: []string{"old.example.org"}, AllowOrigins: []string{"https://a.example.org"}})
	ask := func(host, token string) int {
		r := httptest.NewRequest("GET", "http://"+host+"/__tree__", nil)
		r.Header.Set("Authorization", "Bearer "+token)
		w := newRecorder()
		h.Operator().ServeHTTP(w, r)
		return w.Code
	}
	p := h.Policy()
	p.OperatorToken, p.OperatorHosts[0] = "new", "new.example.org"
	if got := ask("old.example.org", "old"); got != http.StatusOK {
		t.Errorf("before: %d", got)
	}
	if err := h.SetPolicy(p); err != nil {
		t.Fatal(err)
	}
	if old, new, name := ask("new.example.org", "old"), ask("new.example.org", "new"), ask("old.example.org", "new"); old != 401 || new != 200 || name != 403 {
		t.Errorf("after: the old token gets %d, the new one %d, under the old name %d", old, new, name)
	}
	if origins := h.Policy().AllowOrigins; len(origins) != 1 {
		t.Errorf("the origins are %v now", origins)
	}
}

// Where the listener cannot be kept apart, operators have a token. Browsers send it
// as the password that they have asked for.
func TestOperatorsNeedTheirTokenWhereOneIsSet(t *testing.T) {
	h := New(testSystem(t), Options{OperatorToken: "s3cret"})
	ask := func(path string, credentials func(*http.Request)) *httptest.ResponseRecorder {
		r := httptest.NewRequest("GET", "http://127.0.0.1"+path, nil)
		credentials(r)
		w := newRecorder()
		h.Operator().ServeHTTP(w, r)
		return w
	}
	header := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", value) }
	}
	for _, path := range []string{"/", "/metrics", "/__tree__", "/__heartbeat__", "/nothing"} {
		for name, credentials := range map[string]func(*http.Request){
			"none": func(*http.Request) {}, "another token": header("Bearer s3cret2"), "another scheme": header("Digest s3cret"), "none of a scheme": header("Bearer"),
			"another password": func(r *http.Request) { r.SetBasicAuth("s3cret", "x") },
		} {
			w := ask(path, credentials)
			if w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" || decode[errorBody](t, w.Body.String()).Code != "AuthenticationRequired" {
				t.Errorf("%s with %s: %d %v %s", path, name, w.Code, w.Header(), w.Body)
			}
		}
	}
	for name, credentials := range map[string]func(*http.Request){
		"a bearer token": header("bearer s3cret"), "basic authentication": func(r *http.Request) { r.SetBasicAuth("anyone", "s3cret") },
	} {
		if w := ask("/metrics", credentials); w.Code != http.StatusOK {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	public := newRecorder()
	if h.ServeHTTP(public, httptest.NewRequest("GET", "/v1/ping", nil)); public.Code != http.StatusOK {
		t.Errorf("the public listener: %d", public.Code)
	}
}

// A mistyped role must not end the stream that it was typed for.
func TestCrashingARoleThatDoesNotExistIsRefused(t *testing.T) {
	p := start(t, func(s *settings) { s.Chaos = true })
	r := p.connect()
	id := p.system.Snapshot().Streams[0].ID
	if w := p.operator("POST", "/__chaos__/crash?role=nonsense&stream="+id); w.Code != http.StatusNotFound {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	p.publish("a", `1`)
	r.want("message")
}

// Profiles hold what is in memory: what a program adds for operators has the checks of the rest.
func TestWhatIsAddedForOperatorsIsBehindTheSameChecks(t *testing.T) {
	h := New(testSystem(t), Options{
		OperatorToken: "sesame",
		OperatorExtra: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }),
	})
	for _, c := range []struct {
		host, token, path string
		want              int
	}{
		{"127.0.0.1", "sesame", "/debug/pprof/heap", http.StatusTeapot},
		{"127.0.0.1", "", "/debug/pprof/heap", http.StatusUnauthorized},
		{"example.com", "sesame", "/debug/pprof/heap", http.StatusForbidden},
		{"127.0.0.1", "sesame", "/__version__", http.StatusOK}, // what the Handler has itself stays
	} {
		r, w := httptest.NewRequest("GET", c.path, nil), newRecorder()
		r.Host = c.host
		if c.token != "" {
			r.Header.Set("Authorization", "Bearer "+c.token)
		}
		if h.Operator().ServeHTTP(w, r); w.Code != c.want {
			t.Errorf("%s at %s with token %q: %d, want %d", c.path, c.host, c.token, w.Code, c.want)
		}
	}
}
