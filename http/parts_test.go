package httpapi

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// ask returns a handler's answer to a request without a socket.
func ask(h http.Handler, method, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := newRecorder()
	h.ServeHTTP(w, r)
	return w
}

// A host that mounts everything at its root keeps what says something about the whole of it.
func TestAHostKeepsWhatIsAboutTheWholeHost(t *testing.T) {
	for whole, want := range map[bool]int{true: http.StatusOK, false: http.StatusNotFound} {
		h := New(testSystem(t), Options{WholeHost: whole})
		for _, path := range []string{"/robots.txt", "/__version__"} {
			if status := ask(h, "GET", path).Code; status != want {
				t.Errorf("WholeHost %t: %s is %d", whole, path, status)
			}
		}
		for _, path := range []string{"/", "/v1/ping", "/__lbheartbeat__", "/__ready__"} {
			if status := ask(h, "GET", path).Code; status != http.StatusOK {
				t.Errorf("WholeHost %t: %s is %d", whole, path, status)
			}
		}
	}
}

// The stream has the address that the host gives it, and is in all else what it is at its own.
func TestTheStreamAloneIsMountedAnywhere(t *testing.T) {
	_, query, _ := strings.Cut(all, "?")
	p := start(t, func(s *settings) {
		s.wrap = func(next http.Handler) http.Handler {
			mux := http.NewServeMux()
			connect := next.(*Handler).Connect()
			mux.Handle("/live", connect)
			mux.Handle("/below/", http.StripPrefix("/below", connect))
			mux.Handle("/bare", http.StripPrefix("/bare", connect))
			return mux
		}
	})
	for _, path := range []string{"/live", "/below/it", "/bare"} {
		r := p.read(p.do("GET", path+"?"+query).Body)
		r.want("ping")
		r.want("ready")
		for _, c := range []struct {
			method string
			header []string
			status int
		}{
			{"HEAD", nil, http.StatusOK}, {"OPTIONS", nil, http.StatusNoContent}, {"POST", nil, http.StatusMethodNotAllowed},
			{"GET", []string{"Last-Event-ID", "-"}, http.StatusNoContent},
		} {
			answer := p.do(c.method, path+"?"+query, c.header...)
			if answer.StatusCode != c.status || answer.Header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%s %s %v: %s %v", c.method, path, c.header, answer.Status, answer.Header)
			}
		}
	}
	for _, path := range []string{"/", "/v1/ping", "/__heartbeat__", "/api/events/v1/connect"} {
		if status := p.do("GET", path).StatusCode; status != http.StatusNotFound {
			t.Errorf("%s is %d", path, status)
		}
	}
	if n := p.metric(`events_http_streams{protocol="HTTP/1"}`); n != 3 {
		t.Errorf("%v streams are counted", n)
	}
}

// The page finds its files and its stream beside itself, and the host serves nothing else by it.
func TestTheInspectorAloneHasItsFilesAndItsStream(t *testing.T) {
	p := start(t, func(s *settings) {
		s.wrap = func(next http.Handler) http.Handler {
			return http.StripPrefix("/tools/pulse", next.(*Handler).Inspector())
		}
	})
	page := p.body(p.do("GET", "/tools/pulse/"))
	files := regexp.MustCompile(`(?:src|href)="(inspector/[^"]+)"`).FindAllStringSubmatch(page, -1)
	if len(files) < 3 {
		t.Fatalf("the page refers to %v", files)
	}
	for _, file := range files {
		if answer := p.do("GET", "/tools/pulse/"+file[1]); answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", file[1], answer.Status)
		}
	}
	r := p.read(p.do("GET", "/tools/pulse"+all).Body)
	r.want("ping")
	r.want("ready")
	for _, path := range []string{"/v1/ping", "/__heartbeat__", "/robots.txt", "/__version__"} {
		if status := p.do("GET", "/tools/pulse"+path).StatusCode; status != http.StatusNotFound {
			t.Errorf("%s is %d", path, status)
		}
	}
}

func TestHealthAloneAnswersProbes(t *testing.T) {
	h := New(testSystem(t), Options{ForceSSL: true})
	for path, status := range map[string]int{
		"/__lbheartbeat__": http.StatusOK, "/__ready__": http.StatusOK,
		"/__version__": http.StatusNotFound,
	} {
		if have := ask(h.Health(), "GET", path).Code; have != status {
			t.Errorf("%s is %d", path, have)
		}
	}
	h.Retire()
	for _, path := range []string{"/__ready__", "/__heartbeat__"} {
		if have := ask(h.Health(), "GET", path).Code; have != http.StatusServiceUnavailable {
			t.Errorf("%s is %d", path, have)
		}
	}
}

// What the operator changes holds for a part that was mounted before.
func TestAChangeOfThePolicyHoldsForTheParts(t *testing.T) {
	h := New(testSystem(t), Options{})
	parts := map[string]http.Handler{"/x": h.Connect(), "/": h.Inspector(), "/__ready__": h.Health()}
	if err := h.SetPolicy(Policy{AllowOrigins: []string{"https://a.example"}}); err != nil {
		t.Fatal(err)
	}
	for path, part := range parts {
		for origin, status := range map[string]int{"https://a.example": http.StatusOK, "https://b.example": http.StatusForbidden} {
			if have := ask(part, "HEAD", path, "Origin", origin).Code; have != status {
				t.Errorf("%s from %s is %d", path, origin, have)
			}
		}
	}
}

// A host that knows only its own http.Server ends every stream with a word, whatever it runs over,
// and has nothing left.
func TestTheShutdownOfAHostsServerEndsTheStreams(t *testing.T) {
	t.Parallel()
	for _, noHijack := range []bool{false, true} {
		system := testSystem(t)
		h := New(system, Options{NoHijack: noHijack})
		server := &http.Server{Handler: h, Protocols: new(http.Protocols)}
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetUnencryptedHTTP2(true)
		h.Register(server, 10*time.Millisecond)
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan error, 1)
		go func() { served <- server.Serve(l) }()

		p := &proxy{t: t, address: l.Addr().String()}
		path := connectPath(`{"bindings":[{"exchange":"amq.topic","routingKeyPattern":"#"}]}`)
		var readers []*reader
		for range 3 {
			readers = append(readers, p.read(p.do("GET", path).Body), p.read(p.http2(t).get(path).Body))
		}
		for _, r := range readers {
			r.want("ping")
			r.want("ready")
		}
		if err := server.Shutdown(bounded(t)); err != nil {
			t.Error(err)
		}
		if err := h.Shutdown(bounded(t)); err != nil {
			t.Error(err)
		}
		for _, r := range readers {
			r.wantError(actors.ServerShutdown)
		}
		if n := len(h.outlets.registry.all()); n != 0 {
			t.Errorf("%d responses are left", n)
		}
		await(t, "the end of the streams' actors", func() bool { return system.Stats().Streams == 0 })
		if err := <-served; err != http.ErrServerClosed {
			t.Error(err)
		}
	}
}

// A host's server that has no stream, or whose System has ended before, shuts down as ever.
func TestAHostsServerShutsDownWithoutStreams(t *testing.T) {
	for _, closed := range []bool{false, true} {
		system := testSystem(t)
		h, server := New(system, Options{}), &http.Server{}
		h.Register(server, time.Hour)
		if closed {
			system.Close()
		}
		if err := server.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := h.Shutdown(bounded(t)); err != nil {
			t.Error(err)
		}
		if status := ask(h, "GET", all).Code; status != http.StatusServiceUnavailable {
			t.Errorf("a newcomer is answered %d", status)
		}
	}
}
