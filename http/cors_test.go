package httpapi

import (
	"net/http"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// wantCORS checks the four CORS headers of the contract on an answer.
func wantCORS(t *testing.T, what string, h http.Header, origin string) {
	t.Helper()
	for name, want := range map[string]string{
		"Access-Control-Allow-Origin":  origin,
		"Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
		"Access-Control-Allow-Headers": "X-Requested-With, Content-Type, Authorization, Accept, Origin, Cache-Control, Last-Event-ID",
		"Access-Control-Max-Age":       "900",
	} {
		if got := h.Values(name); len(got) > 1 || h.Get(name) != want {
			t.Errorf("%s: %s is %q, want %q", what, name, got, want)
		}
	}
}

// A page that may not read an answer cannot distinguish a 429 from a dead network.
func TestCORSHeadersAreOnEveryAnswer(t *testing.T) {
	p := start(t, func(s *settings) { s.actors.Limits.StreamsPerAddress, s.actors.Limits.Streams = 1, 2 })
	check := func(status int, method, path string, header ...string) {
		t.Helper()
		for _, origin := range []string{"", "https://page.example.com"} {
			all := header
			if origin != "" {
				all = append(all, "Origin", origin)
			}
			answer := p.do(method, path, all...)
			if answer.StatusCode != status {
				t.Errorf("%s %s: %s, want %d", method, path, answer.Status, status)
			}
			wantCORS(t, answer.Status+" "+method+" "+path, answer.Header, "*")
			if _, there := answer.Header["Access-Control-Allow-Credentials"]; there {
				t.Error("credentials of every origin are allowed")
			}
		}
	}
	check(http.StatusOK, "GET", connectPath("nonsense"))
	check(http.StatusOK, "HEAD", all)
	check(http.StatusOK, "GET", "/v1/ping")
	check(http.StatusOK, "GET", "/")
	check(http.StatusNoContent, "GET", all, "Last-Event-ID", "-")
	check(http.StatusNoContent, "OPTIONS", all)
	check(http.StatusNotFound, "GET", "/nothing")
	check(http.StatusNotFound, "OPTIONS", "/nothing")
	check(http.StatusMethodNotAllowed, "POST", all)
	check(http.StatusRequestURITooLong, "GET", all+"&"+long(33<<10))
	check(http.StatusRequestHeaderFieldsTooLarge, "GET", all, "X-Long", long(33<<10))

	wantCORS(t, "stream", p.do("GET", all).Header, "*")
	check(http.StatusTooManyRequests, "GET", all)
	go p.system.Drain(t.Context(), 0)
	await(t, "draining", func() bool { return p.system.Health().Draining })
	check(http.StatusServiceUnavailable, "GET", all)
	check(http.StatusServiceUnavailable, "GET", "/__heartbeat__")
}

func long(n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = 'x'
	}
	return string(b)
}

// EventSource polyfills send Cache-Control, which makes the browser ask first.
func TestAPolyfillsPreflightPasses(t *testing.T) {
	p := start(t, nil)
	answer := p.do("OPTIONS", all, "Origin", "https://page.example.com",
		"Access-Control-Request-Method", "GET", "Access-Control-Request-Headers", "cache-control,last-event-id")
	if answer.StatusCode != http.StatusNoContent {
		t.Error(answer.Status)
	}
	wantCORS(t, "preflight", answer.Header, "*")
}

func TestAnAllowListNamesTheOriginAndRefusesOthers(t *testing.T) {
	p := start(t, func(s *settings) {
		s.RootURL = "https://own.example.com/tc"
		s.AllowOrigins = []string{"https://Tools.example.com", "http://localhost:8080"}
	})
	for _, origin := range []string{"https://tools.example.com", "http://localhost:8080", "https://own.example.com"} {
		answer := p.do("GET", "/v1/ping", "Origin", origin)
		if answer.StatusCode != http.StatusOK || answer.Header.Get("Vary") != "Origin" {
			t.Errorf("%s: %s, Vary %q", origin, answer.Status, answer.Header.Get("Vary"))
		}
		wantCORS(t, origin, answer.Header, origin)
		if got := answer.Header.Get("Access-Control-Allow-Credentials"); got != "true" {
			t.Errorf("%s: cookies of a guarding proxy do not pass: %q", origin, got)
		}
	}
	for _, origin := range []string{"https://evil.example.com", "http://tools.example.com", "https://tools.example.com:444", "null"} {
		for _, method := range []string{"GET", "OPTIONS"} {
			answer := p.do(method, all, "Origin", origin)
			if answer.StatusCode != http.StatusForbidden || answer.Header.Get("Vary") != "Origin" {
				t.Errorf("%s %s: %s, Vary %q", method, origin, answer.Status, answer.Header.Get("Vary"))
			}
			wantCORS(t, origin, answer.Header, "")
			if code := decode[errorBody](t, p.body(answer)).Code; code != "OriginForbidden" {
				t.Errorf("%s: code %s", origin, code)
			}
		}
	}
	if opened := p.system.Stats().Opened; opened != 0 {
		t.Errorf("%d streams were opened", opened)
	}
}

// curl and load balancers have no origin.
func TestARequestWithoutOriginPassesAnAllowList(t *testing.T) {
	p := start(t, func(s *settings) { s.AllowOrigins = []string{"https://tools.example.com"} })
	answer := p.do("GET", "/v1/ping")
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Vary") != "Origin" {
		t.Errorf("%s, Vary %q", answer.Status, answer.Header.Get("Vary"))
	}
	wantCORS(t, "no origin", answer.Header, "")
}

func TestAStarInTheAllowListAllowsAll(t *testing.T) {
	p := start(t, func(s *settings) { s.AllowOrigins = []string{"https://tools.example.com", "*"} })
	wantCORS(t, "star", p.do("GET", "/v1/ping", "Origin", "https://any.example.com").Header, "*")
}

func TestRetryAfterIsOnRefusalsThatPass(t *testing.T) {
	for _, code := range []actors.Code{actors.Draining, actors.AtCapacity, actors.TooManyStreams, actors.TooManyConnects} {
		if statuses[code].retryAfter <= 0 {
			t.Errorf("%s has no Retry-After", code)
		}
	}
}

// An operator changes the list of origins of a running service; open streams go on.
func TestOriginsChangeWhileServing(t *testing.T) {
	p := start(t, nil)
	r := p.connect()
	from := func(origin string) int {
		return p.do("GET", "/api/events/v1/ping", "Origin", origin).StatusCode
	}
	if got := from("https://a.example.org"); got != http.StatusOK {
		t.Errorf("before: %d", got)
	}
	if err := p.handler.SetPolicy(Policy{AllowOrigins: []string{"https://b.example.org"}}); err != nil {
		t.Fatal(err)
	}
	if err := p.handler.SetPolicy(Policy{AllowOrigins: []string{"not an origin"}}); err == nil {
		t.Error("a wrong list is taken")
	}
	if a, b := from("https://a.example.org"), from("https://b.example.org"); a != http.StatusForbidden || b != http.StatusOK {
		t.Errorf("after: %d, %d", a, b)
	}
	p.publish("key", `1`)
	r.want("message")
}
