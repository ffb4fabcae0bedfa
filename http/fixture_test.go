package httpapi

import (
	"bufio"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/http/sse"
)

// TestMain lets more tests run side by side than the machine has cores, unless -parallel has a
// number: those that may wait for time limits, and need no broker and no browser.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m)
}

// patience bounds every wait of these tests. The longest one, of a client that reads slowly, takes
// 12 s; the others are over at once on a machine with time for them.
const patience = time.Minute

const exchange = "exchange/tc/task"

// proxy is the HTTP face on a real socket, over a System on a broker in memory.
type proxy struct {
	*Server
	t       *testing.T
	system  *actors.System
	broker  *amqp.Memory
	pub     amqp.Publisher
	address string
}

// settings of a proxy under test.
type settings struct {
	Options
	actors actors.Options
	server ServerOptions
	wrap   func(http.Handler) http.Handler // what a host's middleware does
}

func start(t *testing.T, change func(*settings)) *proxy {
	t.Helper()
	broker := amqp.NewMemory()
	s := settings{actors: actors.Options{Dialer: broker, Namespace: "tester", Chaos: true}}
	s.Logger, s.WholeHost = slog.New(slog.NewTextHandler(testLog{t}, nil)), true
	if change != nil {
		change(&s)
	}
	system, err := actors.Open(s.actors)
	if err != nil {
		t.Fatal(err)
	}
	server := NewServer(New(system, s.Options), s.server)
	if s.wrap != nil {
		server.http.Handler = withConnContext(s.wrap(server.handler))
	}
	p := &proxy{t: t, Server: server, system: system, broker: broker}
	if p.pub, err = broker.Publisher(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.pub.Declare(bounded(t), exchange, "topic"); err != nil {
		t.Fatal(err)
	}
	p.serve()
	t.Cleanup(p.end)
	await(t, "a link to the broker", func() bool { return system.Health().BrokerUp })
	return p
}

// serve listens on a free port until the test ends.
func (p *proxy) serve() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		p.t.Fatal(err)
	}
	p.address = l.Addr().String()
	served := make(chan error, 1)
	go func() { served <- p.Serve(l) }()
	p.t.Cleanup(func() {
		if err := <-served; err != nil {
			p.t.Error(err)
		}
	})
}

// end takes everything down and looks at what is left.
func (p *proxy) end() {
	p.pub.Close()
	p.Server.Close()
	if err := p.system.Close(); err != nil {
		p.t.Error(err)
	}
	if queues := p.broker.Queues(); len(queues) > 0 {
		p.t.Errorf("queues are left: %v", queues)
	}
	p.broker.Close()
}

func (p *proxy) publish(key string, bodies ...string) {
	p.t.Helper()
	for _, body := range bodies {
		if err := p.pub.Publish(bounded(p.t), exchange, key, amqp.Message{Body: []byte(body)}); err != nil {
			p.t.Fatal(err)
		}
	}
}

// url returns the address of a path.
func (p *proxy) url(path string) string { return "http://" + p.address + path }

// connectPath is where a stream of these bindings is.
func connectPath(bindings string) string {
	return "/api/events/v1/connect/?bindings=" + url.QueryEscape(bindings)
}

// all asks for every message of the test's exchange.
var all = connectPath(`{"bindings":[{"exchange":"` + exchange + `","routingKeyPattern":"#"}]}`)

// do sends a request whose answer is not followed when it redirects.
func (p *proxy) do(method, path string, header ...string) *http.Response {
	p.t.Helper()
	r, err := http.NewRequestWithContext(bounded(p.t), method, p.url(path), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	answer, err := client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func (p *proxy) body(answer *http.Response) string {
	p.t.Helper()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(body)
}

// reader reads an event stream.
type reader struct {
	t *testing.T
	*sse.Decoder
}

func (p *proxy) read(body io.Reader) *reader { return &reader{p.t, sse.NewDecoder(body)} }

// connect opens a stream of everything and reads until it is ready.
func (p *proxy) connect() *reader {
	p.t.Helper()
	r := p.read(p.do("GET", all).Body)
	r.want("ping")
	r.want("ready")
	return r
}

func (r *reader) next() sse.Event {
	r.t.Helper()
	e, err := r.Next()
	if err != nil {
		r.t.Fatalf("instead of an event: %v", err)
	}
	return e
}

// want reads one event of a name and returns its data.
func (r *reader) want(name string) string {
	r.t.Helper()
	e := r.next()
	if e.Name != name {
		r.t.Fatalf("got %q, want %s", e, name)
	}
	return e.Data
}

// wantError reads until the stream's last event, and its end.
func (r *reader) wantError(code actors.Code) (message string) {
	r.t.Helper()
	for {
		e := r.next()
		if e.Name != "error" {
			continue
		}
		told := decode[toldError](r.t, e.Data)
		if told.Code != code || told.Retryable != code.Retryable() || told.Retryable != (told.RetryAfterMs > 0) || told.Message == "" {
			r.t.Fatalf("got %s, want code %s", e.Data, code)
		}
		if e, err := r.Next(); err != io.EOF {
			r.t.Fatalf("after the error event: %q, %v", e, err)
		}
		return told.Message
	}
}

type toldError struct {
	Code         actors.Code `json:"code"`
	Message      string      `json:"message"`
	Retryable    bool        `json:"retryable"`
	RetryAfterMs int64       `json:"retryAfterMs"`
}

func decode[T any](t *testing.T, text string) (v T) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%q: %v", text, err)
	}
	return v
}

// dial opens a socket and sends a GET, for tests that look at bytes.
func (p *proxy) dial(path string, header ...string) *socket {
	p.t.Helper()
	conn := p.dialRaw()
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\n", path, p.address)
	for i := 0; i < len(header); i += 2 {
		fmt.Fprintf(conn, "%s: %s\r\n", header[i], header[i+1])
	}
	io.WriteString(conn, "\r\n")
	return conn
}

// dialRaw opens a socket and sends nothing.
func (p *proxy) dialRaw() *socket {
	p.t.Helper()
	conn, err := net.Dial("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(patience))
	p.t.Cleanup(func() { conn.Close() })
	return &socket{p.t, conn, bufio.NewReader(conn)}
}

// socket is a client's own.
type socket struct {
	t *testing.T
	net.Conn
	in *bufio.Reader
}

// line reads one line of a response's head.
func (s *socket) line() string {
	s.t.Helper()
	line, err := s.in.ReadString('\n')
	if err != nil {
		s.t.Fatal(err)
	}
	return line
}

// head reads a response's head.
func (s *socket) head() string {
	s.t.Helper()
	var head strings.Builder
	for {
		line := s.line()
		if head.WriteString(line); line == "\r\n" {
			return head.String()
		}
	}
}

func bounded(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// await waits for a state that is not announced.
func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !is() {
		if time.Now().After(deadline) {
			t.Fatalf("not in time: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

// gone waits until no stream is left, on either side.
func (p *proxy) gone() {
	p.t.Helper()
	await(p.t, "every stream is gone", func() bool {
		return len(p.handler.outlets.registry.all()) == 0 && p.system.Stats().Streams == 0 && len(p.broker.Queues()) == 0
	})
}

// all returns the responses that are open.
func (r *registry) all() []openResponse {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list()
}

// testLog shows a log with its test.
type testLog struct{ t *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	if l.t.Context().Err() == nil { // a log line after the test would panic
		l.t.Log(strings.TrimSpace(string(line)))
	}
	return len(line), nil
}

// testSystem returns a System on a broker in memory, for tests without sockets.
func testSystem(t *testing.T) *actors.System {
	t.Helper()
	broker := amqp.NewMemory()
	system, err := actors.Open(actors.Options{Dialer: broker})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := system.Close(); err != nil {
			t.Error(err)
		}
		broker.Close()
	})
	return system
}

// deleteQueue deletes the only stream's queue, not the one in which its link hears what is dropped.
func (p *proxy) deleteQueue() {
	p.t.Helper()
	for _, name := range p.broker.Queues() {
		if !strings.Contains(name, "/dropped/") {
			p.broker.DeleteQueue(name)
			return
		}
	}
	p.t.Fatal("no stream has a queue")
}
