package httpapi

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

func newRecorder() *httptest.ResponseRecorder { return httptest.NewRecorder() }

// script is a stream whose events a test chooses.
type script struct {
	mu      sync.Mutex
	waiting []actors.Event
	notify  func()
	take    func() // called in Take, before anything is taken
	took    func() // the same, after that
	ended   *actors.Error
	closed  int
	written []*actors.Message
	moving  int
}

func (s *script) Context() context.Context { return context.Background() }

func (s *script) ID() string { return "script" }
func (s *script) Close()     { s.mu.Lock(); s.closed++; s.mu.Unlock() }
func (s *script) Moving()    { s.mu.Lock(); s.moving++; s.mu.Unlock() }

func (s *script) State() actors.StreamState { return actors.StreamState{ID: "script"} }

func (s *script) Written(m *actors.Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = append(s.written, m)
}

func (s *script) Ended() *actors.Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

func (s *script) Fail(err *actors.Error) {
	s.mu.Lock()
	first := s.ended == nil
	if first {
		s.ended = err
	}
	s.mu.Unlock()
	if first {
		s.offer(err)
	}
}

func (s *script) Notify(f func()) {
	s.mu.Lock()
	s.notify = f
	due := len(s.waiting) > 0
	s.mu.Unlock()
	if due {
		f()
	}
}

func (s *script) offer(events ...actors.Event) {
	s.mu.Lock()
	s.waiting = append(s.waiting, events...)
	notify := s.notify
	s.mu.Unlock()
	if notify != nil {
		notify()
	}
}

func (s *script) Take(events []actors.Event) []actors.Event {
	if s.take != nil {
		s.take()
	}
	s.mu.Lock()
	events = append(events[:0], s.waiting...)
	s.waiting = nil
	s.mu.Unlock()
	if s.took != nil {
		s.took()
	}
	return events
}

// bare returns a Handler for scripts: its System is there for the counters.
func bare(t *testing.T, o Options) *Handler {
	p := start(t, func(s *settings) { o.Logger = s.Logger; s.Options = o })
	return p.handler
}

// pair returns the two ends of a connection, of which ours is the caller's to close.
func pair(t *testing.T) (ours, theirs *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close() })
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	return server.(*net.TCPConn), client.(*net.TCPConn)
}

// serveScript serves a script over a real connection, and returns the client's
// end of it.
func serveScript(t *testing.T, h *Handler, s stream) net.Conn {
	t.Helper()
	conn, client := pair(t)
	client.SetDeadline(time.Now().Add(patience))
	h.outlets.serveHijacked(&counted{TCPConn: conn, t: t}, s, "HTTP/1", []byte("HEAD\r\n\r\n"))
	return client
}

// counted is a socket that must be closed once.
type counted struct {
	*net.TCPConn
	t      *testing.T
	mu     sync.Mutex
	closes int
}

func (c *counted) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closes++; c.closes > 1 {
		c.t.Error("the socket was closed twice")
	}
	return c.TCPConn.Close()
}

func readAll(t *testing.T, r io.Reader) string {
	t.Helper()
	all, err := io.ReadAll(r)
	if err != nil {
		t.Fatalf("after %q: %v", all, err)
	}
	return string(all)
}

const (
	readyFrame = "event: ready\ndata: {}\nid: -\n\n"
	oneFrame   = "event: message\ndata: 1\nid: -\n\n"
)

// The broker may forget what was written, and only that.
func TestMessagesAreAcknowledgedAfterEveryWriteAndTheStreamIsClosedAtItsEnd(t *testing.T) {
	h, s := bare(t, Options{}), &script{}
	client := serveScript(t, h, s)
	want := "HEAD\r\n\r\n"
	for i := range 3 {
		s.offer(actors.Ready{}, message("1"))
		want += readyFrame + oneFrame
		got := make([]byte, len(want))
		if i == 0 {
			if _, err := io.ReadFull(client, got); err != nil || string(got) != want {
				t.Fatalf("got %q, %v", got, err)
			}
		} else if _, err := io.ReadFull(client, got[:len(readyFrame+oneFrame)]); err != nil {
			t.Fatal(err)
		}
		await(t, "the acknowledgement", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.written) == i+1 })
	}
	client.Close()
	await(t, "the end", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.closed > 0 })
}

// An acknowledged message that the client never got would be lost unsaid.
func TestNoMessageIsAcknowledgedThatTheClientHasNotTaken(t *testing.T) {
	h, s := bare(t, Options{WriteDeadline: time.Hour}), &script{}
	client := serveScript(t, h, s)
	s.offer(message(`"` + long(8<<20) + `"`)) // more than the sockets hold
	await(t, "the write is blocked", func() bool { return h.outlets.registry.all()[0].(*hijacked).writeUnderWay() })
	client.Read(make([]byte, 1))
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.written) != 0 {
		t.Error("it was acknowledged")
	}
}

// A client with many large messages before it frees them one by one.
func TestAMessageIsAcknowledgedWhileTheNextIsBeingWritten(t *testing.T) {
	h, s := bare(t, Options{WriteDeadline: time.Hour}), &script{}
	large := `"` + long(8<<20) + `"` // more than the sockets hold
	s.offer(message(large), message(large))
	client := serveScript(t, h, s)
	if _, err := io.CopyN(io.Discard, client, 9<<20); err != nil {
		t.Fatal(err)
	}
	await(t, "the acknowledgement of the first", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return len(s.written) == 1 })
	if !h.outlets.registry.all()[0].(*hijacked).writeUnderWay() {
		t.Error("the second has been written too")
	}
}

func TestAClientThatTalksIsNotTakenForGone(t *testing.T) {
	p := start(t, nil)
	s := p.dial(all)
	s.head()
	r := p.read(s.in)
	r.want("ping")
	r.want("ready")
	for range 20 {
		io.WriteString(s, long(5_000)) // no more than is read at once
		p.publish("a", `1`)
		r.want("message")
	}
}

func TestNothingIsWrittenAfterTheError(t *testing.T) {
	h, s := bare(t, Options{}), &script{}
	s.offer(actors.Ready{}, errDefect, message("1"))
	client := serveScript(t, h, s)
	s.offer(message("1"))
	if got, want := readAll(t, client), "HEAD\r\n\r\n"+readyFrame+string(errorFrame(errDefect)); got != want {
		t.Errorf("got %q", got)
	}
}

// Between taking the last event and going idle, the next one may come.
func TestNoEventIsForgottenWhenItComesWhileTheWriterGoesIdle(t *testing.T) {
	h, s := bare(t, Options{}), &script{}
	client := serveScript(t, h, s)
	const events = 20_000
	go func() {
		for range events {
			s.offer(message("1"))
		}
	}()
	want := int64(len("HEAD\r\n\r\n") + events*len(oneFrame))
	if n, err := io.CopyN(io.Discard, client, want); err != nil {
		t.Errorf("%d of %d bytes: %v", n, want, err)
	}
}

func TestAPanicWhileWritingIsToldAndLogged(t *testing.T) {
	for name, plan := range map[string]func(*script){
		"at once": func(s *script) { s.take = func() { panic("planted") } },
		"after a frame": func(s *script) {
			calls := 0
			s.take = func() {
				calls++
				if calls == 2 {
					panic("planted")
				}
			}
			s.offer(actors.Ready{})
		},
		"unknown event": func(s *script) { s.offer(actors.Ready{}, nil) },
		"not one line":  func(s *script) { s.offer(message("{\n}")) },
		"not one large": func(s *script) { s.offer(message("\n" + long(largeData))) },
	} {
		t.Run(name, func(t *testing.T) {
			h, s := bare(t, Options{}), &script{}
			plan(s)
			client := serveScript(t, h, s)
			s.offer(actors.Ready{})
			got := readAll(t, client)
			if !strings.HasPrefix(got, "HEAD\r\n\r\n") || !strings.HasSuffix(got, string(errorFrame(errDefect))) || strings.Count(got, "event: error") != 1 {
				t.Errorf("got %q", got)
			}
			await(t, "the stream is closed", func() bool { s.mu.Lock(); defer s.mu.Unlock(); return s.closed > 0 })
		})
	}
}

// The fourth layer of the error event: whatever goes wrong behind it.
func TestAStreamThatFallsSilentIsEndedByTheWatchdog(t *testing.T) {
	for _, hijack := range []bool{true, false} {
		p := start(t, func(s *settings) { // the actors' own ping period is 20 s
			s.PingPeriod, s.NoHijack = 10*time.Millisecond, !hijack
		})
		r := p.read(p.do("GET", all).Body)
		message := r.wantError(actors.InternalError)
		if message != errIdle.Reason {
			t.Error(message)
		}
		p.gone()
	}
}

func TestAStreamThatIsDeafToTheWatchdogIsCut(t *testing.T) {
	h, s := bare(t, Options{PingPeriod: 100 * time.Millisecond}), &deaf{}
	client := serveScript(t, h, s)
	if got, err := io.ReadAll(client); !errors.Is(err, syscall.ECONNRESET) || string(got) != "HEAD\r\n\r\n" {
		t.Errorf("got %q, %v; want a reset", got, err)
	}
}

// deaf is a stream that cannot be ended.
type deaf struct{ script }

func (*deaf) Fail(*actors.Error) {}

// The watchdog's patience, in ping periods, which are spread by ± 10 %.
func TestTheWatchdogWaitsForThreePingPeriods(t *testing.T) {
	const period = 20 * time.Second
	for _, c := range []struct {
		silent         time.Duration
		expired, ended bool
	}{
		{0, false, false}, // or in the middle of a write
		{3 * period * 11 / 10, false, false},
		{4 * period, true, false},
		{7 * period, false, true},
	} {
		o := newRegistry(period, newMetrics(testSystem(t), Version{}, func() int64 { return 0 }))
		s := &sleeper{since: time.Now().Add(-c.silent)}
		if c.silent == 0 {
			s.since = time.Time{}
		}
		o.add(s, "HTTP/1")
		o.checkIdle()
		if s.expired != c.expired || s.aborted != c.ended {
			t.Errorf("after %v: expired %v, cut %v", c.silent, s.expired, s.aborted)
		}
		o.remove(s)
	}
}

// A process that stood still for minutes, a stopped container or a suspended
// machine, finds every stream idle. That is its own doing: the streams get the
// watchdog's time again, and only then are they ended.
func TestTheWatchdogForgivesTheStreamsWhatItMissedItself(t *testing.T) {
	const period = 20 * time.Second
	r := newRegistry(period, newMetrics(testSystem(t), Version{}, func() int64 { return 0 }))
	s := &sleeper{since: time.Now().Add(-130 * time.Second)}
	r.add(s, "HTTP/1")
	defer r.remove(s)
	r.checkDue = time.Now().Add(-110 * time.Second)
	r.checkIdle()
	if s.expired || s.aborted {
		t.Fatalf("after the stop: expired %v, cut %v", s.expired, s.aborted)
	}
	r.awake = time.Now().Add(-4 * period)
	r.checkIdle()
	if !s.expired || s.aborted {
		t.Errorf("four periods later: expired %v, cut %v", s.expired, s.aborted)
	}
}

// sleeper is a response on which nothing has been written for some time.
type sleeper struct {
	since            time.Time
	expired, aborted bool
}

func (s *sleeper) idleSince() time.Time { return s.since }
func (s *sleeper) fail(*actors.Error)   { s.expired = true }
func (s *sleeper) abort()               { s.aborted = true }

func TestABusyWriterIsNotSilent(t *testing.T) {
	h, s := bare(t, Options{WriteDeadline: time.Hour}), &script{}
	serveScript(t, h, s)
	s.offer(message(`"` + long(8<<20) + `"`)) // more than the sockets hold
	c := h.outlets.registry.all()[0]
	await(t, "the write is blocked", func() bool { return c.(*hijacked).writeUnderWay() })
	if d := h.outlets.registry.idleFor(c, time.Now().Add(time.Hour)); d != 0 {
		t.Errorf("silent for %v", d)
	}
}

func TestARecorderGetsTheStreamToo(t *testing.T) {
	p := start(t, nil)
	ctx, leave := context.WithCancel(t.Context())
	w := &observed{ResponseRecorder: newRecorder(), wrote: make(chan string, 100)}
	served := make(chan struct{})
	go func() {
		defer close(served)
		p.handler.ServeHTTP(w, httptest.NewRequest("GET", all, nil).WithContext(ctx))
	}()
	var got string
	for !strings.HasSuffix(got, readyFrame) {
		got += <-w.wrote
	}
	leave()
	<-served
	if !strings.HasPrefix(got, "event: ping\n") || !w.Flushed || w.Code != http.StatusOK {
		t.Errorf("got %q, flushed %v, %d", got, w.Flushed, w.Code)
	}
	p.gone()
}

// observed is a recorder that reports what is written.
type observed struct {
	*httptest.ResponseRecorder
	wrote chan string
}

func (w *observed) Write(p []byte) (int, error) {
	n, err := w.ResponseRecorder.Write(p)
	if n > 0 {
		w.wrote <- string(p[:n])
	}
	return n, err
}

// Events that stay in a middleware's buffer would look like a dead stream.
func TestAMiddlewareThatCannotFlushIsRefusedAStream(t *testing.T) {
	p := start(t, nil)
	w := newRecorder()
	p.handler.ServeHTTP(struct{ http.ResponseWriter }{w}, httptest.NewRequest("GET", all, nil))
	if w.Code != http.StatusInternalServerError {
		t.Errorf("status %d", w.Code)
	}
	p.gone()
}

func TestAPanicInAHandlerIsA500OrABrokenAnswer(t *testing.T) {
	h := New(testSystem(t), Options{Logger: slog.New(slog.DiscardHandler)})
	serve := func(handle http.HandlerFunc) (w *httptest.ResponseRecorder, escaped any) {
		router := newRouter(h)
		get(router, "/planted", handle)
		w = newRecorder()
		defer func() { escaped = recover() }()
		router.ServeHTTP(&answer{ResponseWriter: w}, httptest.NewRequest("GET", "/planted", nil))
		return w, nil
	}
	w, escaped := serve(func(http.ResponseWriter, *http.Request) { panic("planted") })
	if w.Code != http.StatusInternalServerError || decode[errorBody](t, w.Body.String()).Code != "InternalError" || escaped != nil {
		t.Errorf("nothing written: %d %s, %v", w.Code, w.Body, escaped)
	}
	if strings.Contains(w.Body.String(), "planted") {
		t.Error("the client was told the panic's text")
	}
	w, escaped = serve(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("half")); panic("planted") })
	if w.Body.String() != "half" || escaped != http.ErrAbortHandler {
		t.Errorf("half written: %s, %v", w.Body, escaped)
	}
	_, escaped = serve(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	if escaped != http.ErrAbortHandler {
		t.Errorf("an abort: %v", escaped)
	}
}

// What was on its way to the client when its access was revoked stays here, acknowledged by none; what
// the client gets is whole: the response's head, and the reason.
func TestWhatWasTakenBeforeARevocationIsNotWrittenAfterIt(t *testing.T) {
	revoked := &actors.Error{Code: actors.AccessRevoked, Reason: "no longer"}
	for name, body := range map[string]string{"small": "1", "large": `"` + long(1<<20) + `"`} {
		h, s := bare(t, Options{}), &script{}
		s.waiting = []actors.Event{actors.Ready{}, message(body), message(body)}
		s.took = sync.OnceFunc(func() { s.Fail(revoked) })
		got := readAll(t, serveScript(t, h, s))
		if strings.Contains(got, "event: message") || !strings.HasPrefix(got, "HEAD\r\n\r\n") || !strings.HasSuffix(got, string(errorFrame(revoked))) {
			t.Errorf("%s: the client got %.300q", name, got)
		}
		if len(s.written) != 0 {
			t.Errorf("%s: %d messages were acknowledged", name, len(s.written))
		}
	}
}
