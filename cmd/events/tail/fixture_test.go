package tail

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/http/proxytest"
)

// patience bounds every wait; nothing is expected to take that long.
const patience = 30 * time.Second

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// text is written by Run and read by a test meanwhile.
type text struct {
	mu     sync.Mutex
	buffer bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buffer.Write(p)
}

func (t *text) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buffer.String()
}

// rig is a broker with the exchange e, a publisher, and a Run.
type rig struct {
	t         *testing.T
	broker    *amqp.Memory
	publisher amqp.Publisher
	out       text
	notes     text
	ended     chan Outcome
	stop      context.CancelFunc
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{t: t, broker: amqp.NewMemory(), ended: make(chan Outcome, 1)}
	t.Cleanup(func() { r.broker.Close() })
	var err error
	if r.publisher, err = r.broker.Publisher(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.publisher.Declare(t.Context(), "e", "topic"); err != nil {
		t.Fatal(err)
	}
	return r
}

// proxy starts a proxy over the rig's broker.
func (r *rig) proxy() *proxytest.Proxy {
	r.t.Helper()
	p, err := proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: r.broker}})
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { p.Close() })
	return p
}

func bindings(t *testing.T, args ...string) []amqp.Binding {
	t.Helper()
	list, err := ParseBindings(args)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// at returns the Source of a proxy at a URL.
func (r *rig) at(url string, o ProxyOptions, args ...string) *Proxy {
	r.t.Helper()
	o.Client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	source, err := NewProxy(url, bindings(r.t, args...), o)
	if err != nil {
		r.t.Fatal(err)
	}
	return source
}

// run starts Run; what the options leave open is filled.
func (r *rig) run(source Source, o Options) {
	var ctx context.Context
	ctx, r.stop = context.WithCancel(r.t.Context())
	if o.Out == nil {
		o.Out = &r.out
	}
	o.Notes, o.Name = &r.notes, "tail"
	reader := newReader(source, o)
	reader.backoff.random = func() float64 { return 0 } // at once
	go func() { r.ended <- reader.run(ctx) }()
	r.t.Cleanup(r.stop)
}

// ends waits for the outcome.
func (r *rig) ends(want Outcome) {
	r.t.Helper()
	select {
	case got := <-r.ended:
		if got != want {
			r.t.Errorf("outcome %d, want %d:\n%s", got, want, r.notes.String())
		}
	case <-time.After(patience):
		r.t.Fatalf("still running:\n%s", r.notes.String())
	}
}

// says waits for a text in the notes, or in what was written.
func (r *rig) says(want string) {
	r.t.Helper()
	for deadline := time.Now().Add(patience); !strings.Contains(r.notes.String()+r.out.String(), want); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("never says %q:\n%s%s", want, r.notes.String(), r.out.String())
		}
	}
}

func (r *rig) publish(key string, body string) {
	r.t.Helper()
	if err := r.publisher.Publish(r.t.Context(), "e", key, amqp.Message{Body: []byte(body)}); err != nil {
		r.t.Fatal(err)
	}
}

// service answers with what a test writes, one handler for each request in
// order; the last answers all further ones.
func service(t *testing.T, handlers ...http.HandlerFunc) (url string, requests *[]*http.Request) {
	t.Helper()
	var mu sync.Mutex
	requests = new([]*http.Request)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		*requests = append(*requests, r)
		handler := handlers[min(len(*requests), len(handlers))-1]
		mu.Unlock()
		handler(w, r)
	}))
	t.Cleanup(s.Close)
	return s.URL, requests
}

// stream answers with a stream of these events, and its end.
func stream(events ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
		for _, e := range events {
			name, data, _ := strings.Cut(e, " ")
			fmt.Fprintf(w, "event: %s\ndata: %s\nid: -\n\n", name, data)
		}
	}
}

// answer answers with a status.
func answer(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}
