package browser

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/http/proxytest"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

const exchange = "exchange/tc/task"

//go:embed page.html
var pageHTML []byte

//go:embed page.js
var pageJS []byte

// site is a proxy that notes every request, and a page in a tab.
type site struct {
	broker *amqp.Memory
	proxy  *proxytest.Proxy
	page   string // the page's URL at the proxy's own origin
	tab    context.Context

	mu       sync.Mutex
	requests []request
}

// request is what the proxy was asked for a stream, and how it answered.
type request struct {
	method, lastID string
	status         int
}

// visit starts a proxy, opens a tab and shows the page there.
func visit(t *testing.T, o actors.Options) *site {
	t.Helper()
	s := &site{broker: amqp.NewMemory()}
	t.Cleanup(func() { s.broker.Close() })
	o.Dialer = s.broker
	running, err := proxytest.Start(proxytest.Options{Actors: o, Wrap: s.watch})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { running.Close() })
	s.proxy, s.page = running, running.URL+"/page.html"
	tab, end := chromedp.NewContext(chromium)
	t.Cleanup(end)
	if err := chromedp.Do(tab); err != nil { // opens it; with a timeout, it would end then
		t.Fatal(err)
	}
	s.tab = tab
	s.declare(t)
	return s
}

// watch serves the page beside the proxy, and counts the requests for streams.
func (s *site) watch(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /page.html", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(pageHTML)
	})
	mux.HandleFunc("GET /page.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		w.Write(pageJS)
	})
	mux.HandleFunc("GET /polyfill.js", func(w http.ResponseWriter, r *http.Request) {
		http.ServeFile(w, r, filepath.Join(modules, "event-source-polyfill/src/eventsource.js"))
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if !strings.Contains(r.URL.Path, "/connect") { // the browser's own curiosity
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(&statusWriter{ResponseWriter: w, note: s.note(r)}, r)
	})
	return mux
}

// note writes a request down, and returns what fills in its status.
func (s *site) note(r *http.Request) func(status int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := len(s.requests)
	s.requests = append(s.requests, request{method: r.Method, lastID: cmp.Or(r.Header.Get("Last-Event-ID"), r.URL.Query().Get("lastEventId"))})
	return func(status int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.requests[i].status = status
	}
}

// asked returns the requests so far.
func (s *site) asked() []request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.requests)
}

// statusWriter notes the status; Unwrap keeps the way open to flush and
// deadlines.
type statusWriter struct {
	http.ResponseWriter
	note func(int)
	once sync.Once
}

func (w *statusWriter) WriteHeader(status int) {
	w.once.Do(func() { w.note(status) })
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	w.once.Do(func() { w.note(http.StatusOK) })
	return w.ResponseWriter.Write(p)
}

// Hijack: a stream of HTTP/1.1 writes its head itself, and that is a 200.
func (w *statusWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	w.once.Do(func() { w.note(http.StatusOK) })
	return http.NewResponseController(w.ResponseWriter).Hijack()
}

func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// elsewhere serves the page at another origin, and returns its URL there.
func (s *site) elsewhere(t *testing.T) string {
	t.Helper()
	other := httptest.NewServer(s.watch(http.NotFoundHandler()))
	t.Cleanup(other.Close)
	return other.URL + "/page.html"
}

func (s *site) stream(bindings ...string) string {
	return s.proxy.URL + script.ConnectPath + "?" + script.Query(bindings...)
}

// show opens a page and runs a line of JavaScript there.
func (s *site) show(t *testing.T, page, js string) {
	t.Helper()
	s.run(t, chromedp.Navigate(page), chromedp.Evaluate[chromedp.Void](js))
}

// await waits until an expression is true in the page.
func (s *site) await(t *testing.T, js string) {
	t.Helper()
	if err := s.try(chromedp.Poll[chromedp.Void](js, chromedp.WithPollingInterval(10*time.Millisecond))); err != nil {
		t.Fatalf("%s did not become true: %v\nlog of the page: %+v\nrequests: %+v", js, err, s.log(t), s.asked())
	}
}

func (s *site) run(t *testing.T, actions ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := s.try(actions...); err != nil {
		t.Fatal(err)
	}
}

func (s *site) try(actions ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(s.tab, 30*time.Second)
	defer cancel()
	return chromedp.Do(ctx, actions...)
}

// entry is a line of the page's log.
type entry struct {
	Name  string
	Data  *string
	ID    string
	State int
}

func (s *site) log(t *testing.T) []entry {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.tab, 30*time.Second)
	defer cancel()
	entries, err := chromedp.Run(ctx, chromedp.Evaluate[[]entry]("log"))
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func (s *site) declare(t *testing.T) {
	t.Helper()
	publisher, err := s.broker.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()
	if err := publisher.Declare(t.Context(), exchange, "topic"); err != nil {
		t.Fatal(err)
	}
}

func (s *site) publish(t *testing.T, key, body string) {
	t.Helper()
	publisher, err := s.broker.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer publisher.Close()
	if err := publisher.Publish(t.Context(), exchange, key, amqp.Message{Body: []byte(body)}); err != nil {
		t.Fatal(err)
	}
}

var (
	chromium context.Context // the browser of all tests here
	modules  string          // node_modules
)

func TestMain(m *testing.M) {
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "chromium")
		if err != nil {
			return complain(err)
		}
		defer os.RemoveAll(dir)
		if modules, err = clients.NodeModules(context.Background()); err != nil {
			return complain(err)
		}
		browser, stop, err := Start(context.Background(), dir)
		if err != nil {
			return complain(err)
		}
		defer stop()
		chromium = browser
		return m.Run()
	}())
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
