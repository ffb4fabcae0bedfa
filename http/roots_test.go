package httpapi

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// A root URL may have any path: one that ends as a path of the service does, or one that means
// something to a router. All paths answer below it and at the root, the page with all its files.
func TestARootURLMayHaveAnyPath(t *testing.T) {
	t.Parallel()
	system := testSystem(t)
	for _, path := range []string{
		"/events", "/api", "/inspector", "/inspector/", "/inspector/inspector", "/inspector/shared", "/v1", "/x/events", "/references", "/a:b", "/:a", "/*", "/*a/:b",
		"/api/events/v1", "/x/v1/connect", "/__version__", "/a b", "/a%20b", "/ä", "/a.b/c~d",
	} {
		h := New(system, Options{RootURL: "https://example.org" + path, WholeHost: true})
		for _, root := range []string{"", strings.TrimRight(path, "/")} {
			answersAllPaths(t, h, root)
		}
	}
}

// The same for any words in any order.
func TestNoRootURLIsTooMuch(t *testing.T) {
	t.Parallel()
	system, words := testSystem(t), []string{"events", "api", "v1", "inspector", "shared", "connect", "ping", "references", "robots.txt", ":x", "*x", "*", ":", "x"}
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		root := ""
		for range 1 + r.IntN(4) {
			root += "/" + words[r.IntN(len(words))]
		}
		if (Options{RootURL: "https://example.org" + root}).Validate() == nil {
			answersAllPaths(t, New(system, Options{RootURL: "https://example.org" + root, WholeHost: true}), root)
		}
	}
}

// The page of such a root would be where clients of the root expect their stream.
func TestARootURLIsNotTheStream(t *testing.T) {
	for _, o := range []Options{
		{RootURL: "https://h/v1/connect"}, {RootURL: "https://h/api/events/v1/connect/"}, {RootPath: "/events/v1/connect"},
		{RootURL: "https://h/x", RootPath: "/x/v1/connect"},
	} {
		if err := o.Validate(); err == nil || !strings.Contains(err.Error(), "is the path of the event stream") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

var loaded = regexp.MustCompile(`(?:href|src)="(inspector/[^"]+)"`)

func answersAllPaths(t interface{ Errorf(string, ...any) }, h *Handler, root string) {
	ask := func(method, path string) *httptest.ResponseRecorder {
		answer := httptest.NewRecorder()
		h.ServeHTTP(answer, httptest.NewRequest(method, root+strings.ReplaceAll(path, " ", "%20"), nil))
		return answer
	}
	root = strings.ReplaceAll(root, " ", "%20")
	page := ask(http.MethodGet, "/")
	files := loaded.FindAllStringSubmatch(page.Body.String(), -1)
	if page.Code != http.StatusOK || len(files) == 0 {
		t.Errorf("%s/: %d", root, page.Code)
	}
	for _, file := range files {
		if answer := ask(http.MethodGet, "/"+file[1]); answer.Code != http.StatusOK {
			t.Errorf("%s/%s: %d", root, file[1], answer.Code)
		}
	}
	for path, want := range map[string]int{
		"/api/events/v1/ping": 200, "/events/v1/ping": 200, "/v1/ping": 200, "/__lbheartbeat__": 200, "/__version__": 200,
		"/references/events/v1/api.json": 200, "/robots.txt": 200, "/nothing": 404, "/inspector/nothing.js": 404,
	} {
		if answer := ask(http.MethodGet, path); answer.Code != want {
			t.Errorf("%s%s: %d, want %d", root, path, answer.Code, want)
		} else if want == 404 && answer.Header().Get("Content-Type") != "application/json" {
			t.Errorf("%s%s: the 404 is %s", root, path, answer.Header().Get("Content-Type"))
		}
	}
	if answer := ask(http.MethodHead, "/api/events/v1/connect/"); answer.Code != http.StatusOK || !strings.HasPrefix(answer.Header().Get("Content-Type"), "text/event-stream") {
		t.Errorf("%s/api/events/v1/connect/: %d", root, answer.Code)
	}
	if answer := ask(http.MethodPost, "/v1/ping"); answer.Code != http.StatusMethodNotAllowed {
		t.Errorf("POST %s/v1/ping: %d", root, answer.Code)
	}
}
