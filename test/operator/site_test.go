package operator

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/proxytest"
	"github.com/taskcluster/events-proxy/http/sse"
	"github.com/taskcluster/events-proxy/test/browser"
)

const exchange = "exchange/taskcluster-queue/v1/task-completed"

// site is a proxy with both of its listeners.
type site struct {
	t         *testing.T
	broker    *amqp.Memory
	proxy     *proxytest.Proxy
	operators *http.Server
	address   string // of the operator's listener
	url       string
}

// serve starts one. With chaos, operators may make actors fail.
func serve(t *testing.T, chaos bool, o actors.Options) *site {
	t.Helper()
	s := &site{t: t, broker: amqp.NewMemory()}
	t.Cleanup(func() { s.broker.Close() })
	publisher, err := s.broker.Publisher(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := publisher.Declare(t.Context(), exchange, "topic"); err != nil {
		t.Fatal(err)
	}
	o.Dialer, o.Chaos = s.broker, chaos
	if s.proxy, err = proxytest.Start(proxytest.Options{Actors: o, HTTP: httpapi.Options{Chaos: chaos}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.proxy.Close() })
	s.address = "127.0.0.1:0"
	s.listen()
	t.Cleanup(s.away)
	return s
}

// listen opens the operator's listener, after away at the same address.
func (s *site) listen() {
	s.t.Helper()
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.address = listener.Addr().String()
	s.url = "http://" + s.address + "/"
	server := &http.Server{Handler: s.proxy.Handler.Operator()}
	s.operators = server
	go func() { // ends by away
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.t.Errorf("the operator's listener: %v", err)
		}
	}()
}

// away closes the operator's listener and what is connected to it.
func (s *site) away() { s.operators.Close() }

// client is one open event stream.
type client struct {
	t      *testing.T
	frames *sse.Decoder
	cancel context.CancelFunc
	id     string // of the stream
}

// connect opens a stream and waits until it is ready.
func (s *site) connect(pattern string) *client {
	s.t.Helper()
	before := map[string]bool{}
	for _, stream := range s.proxy.System.Snapshot().Streams {
		before[stream.ID] = true
	}
	ctx, cancel := context.WithTimeout(context.Background(), browser.Patience)
	s.t.Cleanup(cancel)
	bindings := `{"bindings":[{"exchange":"` + exchange + `","routingKeyPattern":"` + pattern + `"}]}`
	request, err := http.NewRequestWithContext(ctx, "GET", s.proxy.URL+"/api/events/v1/connect/?bindings="+url.QueryEscape(bindings), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	transport := &http.Transport{}
	answer, err := transport.RoundTrip(request)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { answer.Body.Close(); transport.CloseIdleConnections() })
	c := &client{t: s.t, frames: sse.NewDecoder(answer.Body), cancel: cancel}
	c.await("ready")
	for _, stream := range s.proxy.System.Snapshot().Streams {
		if !before[stream.ID] {
			c.id = stream.ID
		}
	}
	return c
}

// await reads until an event of a name comes, and returns its data.
func (c *client) await(name string) string {
	c.t.Helper()
	for {
		event, err := c.frames.Next()
		if err != nil {
			c.t.Fatalf("waiting for %s: %v", name, err)
		}
		if event.Name == name {
			return event.Data
		}
	}
}

// told fails unless the stream's end is told with a code.
func (c *client) told(code actors.Code) {
	c.t.Helper()
	if data := c.await("error"); !strings.Contains(data, `"code":"`+string(code)+`"`) {
		c.t.Errorf("told %s, not %s", data, code)
	}
}
