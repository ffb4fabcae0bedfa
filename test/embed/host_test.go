package embed

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/sse"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(rabbit.Main(m)) }

const (
	patience = 20 * time.Second
	exchange = "exchange/host/done"
)

// broker is what both brokers are to a host.
type broker interface {
	amqp.Dialer
	Publisher(context.Context) (amqp.Publisher, error)
}

// A program of sixty lines gives each user what is theirs and takes it away in less than a second,
// on both brokers and over every protocol; its own registry has the figures, and nothing of it is
// left when its server has shut down.
func TestAHostsUsersReadWhatIsTheirsUntilTheyAreLockedOut(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) broker{
		"memory": func(*testing.T) broker { return amqp.NewMemory() },
		"RabbitMQ": func(t *testing.T) broker {
			b, err := amqp.NewRabbitMQ(rabbit.Run(t).URL(), amqp.RabbitMQOptions{})
			if err != nil {
				t.Fatal(err)
			}
			return b
		},
	} {
		for _, protocol := range []string{"HTTP/1.1", "inside net/http", "HTTP/2"} {
			t.Run(name+", "+protocol, func(t *testing.T) {
				p := startHost(t, open(t), protocol)
				ada, bob := p.signIn("ada"), p.signIn("bob")
				p.refused("", "ada.#", "sign in first")
				p.refused(ada, "bob.#", "bob.#")
				hers, his := p.connect(ada, "ada.#"), p.connect(bob, "bob.#")
				p.publish("ada.internal", "ada.a", "bob.a")
				p.want(hers, "message", "ada.a")
				p.want(his, "message", "bob.a")
				if text := p.get("/metrics", "").text(); !strings.Contains(text, "\nevents_streams 2\n") || strings.Contains(text, "\ngo_") {
					t.Errorf("the host's registry has\n%s", text)
				}

				p.post("/lock-out?user=ada")
				since := time.Now()
				p.publish("ada.b")
				p.want(hers, "error", string(actors.AccessRevoked))
				t.Logf("told %v after the lock-out", time.Since(since))
				if _, err := hers.Next(); err != io.EOF {
					t.Errorf("after its end: %v", err)
				}
				p.refused(ada, "ada.#", "sign in again")
				p.publish("bob.b")
				p.want(his, "message", "bob.b")
				p.end()
				p.want(his, "error", string(actors.ServerShutdown))
			})
		}
	}
}

// program is a host that runs.
type program struct {
	t       *testing.T
	url     string
	client  *http.Client
	publish func(keys ...string)
	end     func()
}

// startHost runs a host on a broker; end shuts it down as such a program does.
func startHost(t *testing.T, b broker, protocol string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	t.Cleanup(cancel)
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Error(err)
		}
	}
	publisher, err := b.Publisher(ctx)
	if err != nil {
		t.Fatal(err)
	}
	must(publisher.Declare(ctx, exchange, "topic"))
	system, err := actors.Open(actors.Options{Dialer: b})
	if err != nil {
		t.Fatal(err)
	}
	must(system.Ready(ctx))
	h, events := newHost(system, httpapi.Options{NoHijack: protocol == "inside net/http"})
	server := &http.Server{Handler: h, Protocols: new(http.Protocols)}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	events.Register(server, 0)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(l) }()

	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetHTTP1(protocol != "HTTP/2")
	transport.Protocols.SetUnencryptedHTTP2(protocol == "HTTP/2")
	return &program{
		t: t, url: "http://" + l.Addr().String(), client: &http.Client{Transport: transport},
		publish: func(keys ...string) {
			for _, key := range keys {
				err := publisher.Publish(ctx, exchange, key, amqp.Message{Body: []byte(`{}`)})
				if amqp.KindOf(err) != amqp.Nacked { // the queue of a stream that has just ended
					must(err)
				}
			}
		},
		end: func() {
			must(server.Shutdown(ctx))
			must(events.Shutdown(ctx))
			must(system.Close())
			if err := <-served; err != http.ErrServerClosed {
				t.Error(err)
			}
			publisher.Close()
			if memory, ok := b.(*amqp.Memory); ok {
				memory.Close()
			}
			t.Cleanup(transport.CloseIdleConnections)
		},
	}
}

// answer is a response whose body is read in a test.
type answer struct {
	t *testing.T
	*http.Response
}

func (a answer) text() string {
	a.t.Helper()
	text, err := io.ReadAll(a.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

func (p *program) do(method, path, cookie string) answer {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 3*patience)
	p.t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, method, p.url+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	if cookie != "" {
		r.AddCookie(&http.Cookie{Name: "session", Value: cookie})
	}
	response, err := p.client.Do(r)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { response.Body.Close() })
	if response.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %s", path, response.Status)
	}
	return answer{p.t, response}
}

func (p *program) get(path, cookie string) answer { p.t.Helper(); return p.do("GET", path, cookie) }
func (p *program) post(path string) answer        { p.t.Helper(); return p.do("POST", path, "") }

func (p *program) signIn(user string) (cookie string) {
	p.t.Helper()
	return p.post("/sign-in?user=" + user).Cookies()[0].Value
}

func (p *program) open(cookie, pattern string) *sse.Decoder {
	p.t.Helper()
	bindings := `{"bindings":[{"exchange":"` + exchange + `","routingKeyPattern":"` + pattern + `"}]}`
	return sse.NewDecoder(p.get("/events?bindings="+url.QueryEscape(bindings), cookie).Body)
}

// connect opens a stream and reads until it is ready.
func (p *program) connect(cookie, pattern string) *sse.Decoder {
	p.t.Helper()
	stream := p.open(cookie, pattern)
	p.want(stream, "ready", "{}")
	return stream
}

func (p *program) refused(cookie, pattern, reason string) {
	p.t.Helper()
	p.want(p.open(cookie, pattern), "error", reason)
}

// want reads the next event but pings, and fails unless it has the name and contains the text.
func (p *program) want(stream *sse.Decoder, name, text string) {
	p.t.Helper()
	for {
		e, err := stream.Next()
		switch {
		case err != nil:
			p.t.Fatalf("instead of %s: %v", name, err)
		case e.Name == "ping":
		case e.Name != name || !strings.Contains(e.Data, text):
			p.t.Fatalf("want %s with %s, have %q", name, text, e)
		default:
			return
		}
	}
}
