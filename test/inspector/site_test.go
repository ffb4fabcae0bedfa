package inspector

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/proxytest"
)

// Exchanges that every site has.
const (
	completed = "exchange/taskcluster-queue/v1/task-completed"
	failed    = "exchange/taskcluster-queue/v1/task-failed"
)

// site is the whole proxy on a broker in this process.
type site struct {
	t         *testing.T
	broker    *amqp.Memory
	publisher amqp.Publisher
	proxy     *proxytest.Proxy
	connects  atomic.Int64 // requests for the stream's path
}

// serve starts a site.
func serve(t *testing.T, o actors.Options) *site { return serveAt(t, o, httpapi.Options{}) }

func serveAt(t *testing.T, o actors.Options, face httpapi.Options) *site {
	t.Helper()
	s := &site{t: t, broker: amqp.NewMemory()}
	t.Cleanup(func() { s.broker.Close() })
	var err error
	if s.publisher, err = s.broker.Publisher(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.declare(completed, failed)
	o.Dialer = s.broker
	if s.proxy, err = proxytest.Start(proxytest.Options{Actors: o, HTTP: face, Wrap: s.count}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.proxy.Close() })
	return s
}

func (s *site) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "/connect") {
			s.connects.Add(1)
		}
		next.ServeHTTP(w, r)
	})
}

func (s *site) declare(exchanges ...string) {
	s.t.Helper()
	for _, exchange := range exchanges {
		if err := s.publisher.Declare(context.Background(), exchange, "topic"); err != nil {
			s.t.Fatal(err)
		}
	}
}

// publish publishes a body; cc are further routing keys.
func (s *site) publish(exchange, routingKey, body string, cc ...string) {
	s.t.Helper()
	message := amqp.Message{Body: []byte(body), CC: cc}
	if err := s.publisher.Publish(context.Background(), exchange, routingKey, message); err != nil {
		s.t.Fatal(err)
	}
}

// link returns the path of the page with pairs of exchange and pattern, which
// listens at once.
func link(pairs ...string) string { return stoppedLink(pairs...) + "&live=1" }

// stoppedLink is link, for a page that waits for Start.
func stoppedLink(pairs ...string) string {
	query := ""
	for i := 0; i+1 < len(pairs); i += 2 {
		query += "&exchange=" + url.QueryEscape(pairs[i]) + "&pattern=" + url.QueryEscape(pairs[i+1])
	}
	return "/?" + query[1:]
}
