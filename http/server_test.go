package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"github.com/taskcluster/events-proxy/http/sse"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// On shutdown every stream ends on a frame's end with ServerShutdown, and
// nothing is left.
func TestShutdownTellsEveryStream(t *testing.T) {
	p := start(t, nil)
	streams := []*reader{p.connect(), p.connect(), p.http2(t).connect()}
	done := make(chan error, 1)
	go func() { done <- p.Shutdown(bounded(t)) }()
	for _, r := range streams {
		r.wantError(actors.ServerShutdown)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if left := len(p.handler.outlets.registry.all()); left > 0 {
		t.Errorf("%d streams are left", left)
	}
}

// A load balancer must see the red heartbeat, so the listener stays open
// until the streams have ended.
func TestWhileStreamsDrainNewOnesAre503AndTheHeartbeatIsRed(t *testing.T) {
	p := start(t, func(s *settings) { s.server.DrainSpread = time.Minute })
	for range 10 {
		p.connect()
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Shutdown(ctx) }()
	await(t, "draining", func() bool { return p.system.Health().Draining })
	wantRefusal(t, p, all, http.StatusServiceUnavailable, actors.Draining)
	if answer := p.do("GET", "/__heartbeat__"); answer.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("heartbeat: %s", answer.Status)
	}
	if answer := p.do("GET", "/__lbheartbeat__"); answer.StatusCode != http.StatusOK {
		t.Errorf("lbheartbeat: %s", answer.Status)
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a shutdown that was cut short says %v", err)
	}
}

// A host program's own order: the handler alone tells its streams, too.
func TestShutdownOfTheHandlerAloneTellsItsStreamsAndTakesNoMore(t *testing.T) {
	p := start(t, nil)
	r, h2 := p.connect(), p.http2(t).connect()
	done := make(chan error, 1)
	go func() { done <- p.handler.Shutdown(bounded(t)) }()
	r.wantError(actors.ServerShutdown)
	h2.wantError(actors.ServerShutdown)
	if err := <-done; err != nil {
		t.Error(err)
	}
	wantRefusal(t, p, all, http.StatusServiceUnavailable, actors.Draining)
}

func TestStreamsThatDoNotEndInTimeAreCutAndCounted(t *testing.T) {
	h, s := bare(t, Options{}), &deaf{}
	client := serveScript(t, h, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Shutdown(ctx); err == nil || !strings.Contains(err.Error(), "1 streams were cut") {
		t.Error(err)
	}
	if _, err := io.ReadAll(client); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client found %v", err)
	}
}

func TestShuttingDownTwiceIsHarmless(t *testing.T) {
	p := start(t, nil)
	for range 2 {
		if err := p.Shutdown(bounded(t)); err != nil {
			t.Error(err)
		}
	}
}

// Heads may not trickle in for ever.
func TestAHeadThatDoesNotArriveEndsItsConnection(t *testing.T) {
	p := start(t, func(s *settings) { s.server.HeadTimeout = 250 * time.Millisecond })
	s := p.dialRaw()
	io.WriteString(s, "GET /v1/ping HTTP/1.1\r\nHos")
	rest, err := io.ReadAll(s.in) // ends with the connection
	if err != nil || strings.Contains(string(rest), "alive") {
		t.Errorf("got %q, %v", rest, err)
	}
}

// http2 returns the proxy with a client of its own that speaks HTTP/2 only, over
// one connection, without TLS.
func (p *proxy) http2(t *testing.T) *client2 {
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	t.Cleanup(transport.CloseIdleConnections)
	return &client2{p, http.Client{Transport: transport}}
}

type client2 struct {
	p *proxy
	http.Client
}

func (c *client2) get(path string, header ...string) *http.Response {
	c.p.t.Helper()
	r, err := http.NewRequestWithContext(bounded(c.p.t), "GET", c.p.url(path), nil)
	if err != nil {
		c.p.t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	answer, err := c.Do(r)
	if err != nil {
		c.p.t.Fatal(err)
	}
	c.p.t.Cleanup(func() { answer.Body.Close() })
	if answer.ProtoMajor != 2 {
		c.p.t.Fatalf("the answer is %s", answer.Proto)
	}
	return answer
}

func (c *client2) connect() *reader {
	c.p.t.Helper()
	r := c.p.read(c.get(all).Body)
	r.want("ping")
	r.want("ready")
	return r
}

// Behind a proxy that speaks HTTP/2, and for browsers with many tabs.
func TestManyStreamsShareOneConnectionOfHTTP2(t *testing.T) {
	p := start(t, nil)
	c := p.http2(t)
	streams := []*reader{c.connect(), c.connect(), c.connect()}
	p.publish("a", `1`)
	for _, r := range streams {
		r.want("message")
	}
	if opened := strings.Count(p.scrape(), `events_http_streams{protocol="HTTP/2"} 3`); opened != 1 {
		t.Error(p.scrape())
	}
}

func TestHTTP2HasTheSameHeadAndChecks(t *testing.T) {
	p := start(t, nil)
	c := p.http2(t)
	answer := c.get(all)
	for name, want := range map[string]string{
		"Content-Type": sse.ContentType, "Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no", "X-Content-Type-Options": "nosniff",
	} {
		if got := answer.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	wantCORS(t, "stream", answer.Header, "*")
	if got := c.get(all, "Last-Event-ID", "-").StatusCode; got != http.StatusNoContent {
		t.Errorf("a reconnect: %d", got)
	}
	p.read(c.get(connectPath("nonsense")).Body).wantError(actors.InvalidBindings)
}

// A stream that is idle for longer than the write deadline goes on.
func TestAnIdleStreamOfHTTP2OutlivesTheWriteDeadline(t *testing.T) {
	t.Parallel()
	p := start(t, func(s *settings) {
		s.WriteDeadline, s.actors.PingPeriod = 200*time.Millisecond, 400*time.Millisecond
	})
	r := p.http2(t).connect()
	for range 3 {
		r.want("ping")
	}
	p.publish("a", `1`)
	for e := r.next(); e.Name != "message"; e = r.next() {
	}
}

// HTTP/2 leaves no way to send a stuck client its error; a reset is no end.
func TestAStuckStreamOfHTTP2IsResetAndCounted(t *testing.T) {
	t.Parallel()
	p := start(t, func(s *settings) { s.WriteDeadline = 250 * time.Millisecond })
	c := p.http2(t)
	c.Transport.(*http.Transport).HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10}
	answer := c.get(all)
	p.flood(`"` + long(60<<10) + `"`)
	p.gone()
	if ended := p.system.Stats().Ended; ended[actors.SlowConsumer] != 1 {
		t.Errorf("ended: %v", ended)
	}
	if _, err := io.ReadAll(answer.Body); err == nil {
		t.Error("the client found a proper end")
	}
	other := c.connect() // the connection, and its other streams, go on
	p.publish("a", `1`)
	other.want("message")
}

func TestAClientOfHTTP2ThatLeavesTakesItsQueueAlong(t *testing.T) {
	p := start(t, nil)
	answer := p.http2(t).get(all)
	r := p.read(answer.Body)
	r.want("ping")
	r.want("ready")
	answer.Body.Close()
	p.gone()
}

// A lid is shut: nothing comes from the client any more, not even an end.
func TestAClientOfHTTP2ThatVanishesIsGivenUp(t *testing.T) {
	t.Parallel()
	p := start(t, func(s *settings) { s.VanishAfter = 200 * time.Millisecond })
	c := p.http2(t)
	var socket *vanishing
	c.Transport.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		socket = &vanishing{Conn: conn, closed: make(chan struct{})}
		return socket, err
	}
	c.connect()
	socket.vanished.Store(true)
	p.publish("a", "1") // what wakes its last read
	p.gone()
}

// vanishing is a client's socket that takes nothing any more once it has
// vanished.
type vanishing struct {
	net.Conn
	vanished atomic.Bool
	closed   chan struct{}
	once     sync.Once
}

func (v *vanishing) Read(p []byte) (int, error) {
	n, err := v.Conn.Read(p)
	if v.vanished.Load() {
		<-v.closed
		return 0, net.ErrClosed
	}
	return n, err
}

func (v *vanishing) Close() error {
	v.once.Do(func() { close(v.closed) })
	return v.Conn.Close()
}

// certificates returns what a server and its clients need to speak TLS.
func certificates(t *testing.T) (server, client *tls.Config) {
	s := httptest.NewUnstartedServer(nil)
	s.StartTLS()
	t.Cleanup(s.Close)
	transport := s.Client().Transport.(*http.Transport)
	return &tls.Config{Certificates: s.TLS.Certificates}, transport.TLSClientConfig
}

func TestStreamsOverTLSOfBothVersions(t *testing.T) {
	server, trust := certificates(t)
	p := start(t, func(s *settings) { s.server.TLS = server })
	for _, version := range []int{1, 2} {
		transport := &http.Transport{TLSClientConfig: trust, Protocols: new(http.Protocols)}
		transport.Protocols.SetHTTP1(version == 1)
		transport.Protocols.SetHTTP2(version == 2)
		r, err := http.NewRequestWithContext(bounded(t), "GET", "https://"+p.address+all, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := (&http.Client{Transport: transport}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		if answer.ProtoMajor != version {
			t.Errorf("the answer is %s", answer.Proto)
		}
		stream := p.read(answer.Body)
		stream.want("ping")
		stream.want("ready")
		large := `"` + long(1<<20) + `"`
		p.publish("a", large)
		if got := stream.want("message"); !strings.Contains(got, large) {
			t.Errorf("got %d bytes", len(got))
		}
		p.broker.CloseChannels()
		stream.wantError(actors.BrokerLost)
		answer.Body.Close()
		transport.CloseIdleConnections()
	}
	p.gone()
}

// Behind TLS a cut record cannot be completed.
func TestAStuckClientBehindTLSIsCut(t *testing.T) {
	t.Parallel()
	server, trust := certificates(t)
	p := start(t, func(s *settings) { s.server.TLS, s.WriteDeadline = server, 250*time.Millisecond })
	raw := p.dialRaw()
	conn := tls.Client(raw.Conn, &tls.Config{RootCAs: trust.RootCAs, ServerName: "example.com", NextProtos: []string{"http/1.1"}})
	io.WriteString(conn, "GET "+all+" HTTP/1.1\r\nHost: x\r\n\r\n")
	p.flood(`"` + long(60<<10) + `"`)
	p.gone()
	if _, err := io.ReadAll(conn); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client found %v", err)
	}
}
