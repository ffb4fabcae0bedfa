package browser

import (
	"bufio"
	"cmp"
	"context"
	_ "embed"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

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
	tab    *Tab

	mu       sync.Mutex
	requests []request
}

// request is what the proxy was asked for a stream, and how it answered.
type request struct {
	method, lastID string
	status         int
}

// visit starts a proxy, and opens a tab for its page.
func visit(t *testing.T, in Browser, o actors.Options) *site {
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
	s.tab = in.Open(t)
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
		modules, err := modules()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
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
func (s *site) show(page, js string) {
	s.tab.T.Helper()
	s.tab.Visit(page)
	s.tab.Run(js)
}

// await waits until an expression is true in the page.
func (s *site) await(t *testing.T, js string) {
	t.Helper()
	if err := s.tab.Try(js); err != nil {
		t.Fatalf("%s did not become true: %v\nlog of the page: %+v\nrequests: %+v", js, err, s.log(), s.asked())
	}
}

// entry is a line of the page's log.
type entry struct {
	Name  string
	Data  *string
	ID    string
	State int
}

func (s *site) log() []entry {
	s.tab.T.Helper()
	return Value[[]entry](s.tab, "log")
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

// modules returns the folder node_modules.
var modules = sync.OnceValues(func() (string, error) { return clients.NodeModules(context.Background()) })

var suite Suite

func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
