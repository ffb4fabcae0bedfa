package httpapi

import (
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/sse"
)

// stuck opens a stream whose client reads up to ready and then no further.
func (p *proxy) stuck(path string) *socket {
	p.t.Helper()
	s := p.dialRaw()
	s.Conn.(*net.TCPConn).SetReadBuffer(16 << 10)
	io.WriteString(s, "GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n")
	s.head()
	r := p.read(oneByOne{s.in})
	r.want("ping")
	r.want("ready")
	return s
}

// oneByOne keeps a decoder from reading ahead.
type oneByOne struct{ r io.Reader }

func (o oneByOne) Read(p []byte) (int, error) { return o.r.Read(p[:min(1, len(p))]) }

// flood publishes until a stream has ended, no faster than the healthy read.
func (p *proxy) flood(body string, healthy ...*reader) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for len(p.system.Stats().Ended) == 0 {
		if p.publish("a", body); time.Now().After(deadline) {
			p.t.Fatal("the stream goes on")
		}
		for _, r := range healthy {
			r.want("message")
		}
	}
}

// readOn reads what a stuck client finds when it wakes up: whole messages, and
// as the last frame the error.
func (p *proxy) readOn(s *socket, code actors.Code) {
	p.t.Helper()
	rest, err := io.ReadAll(s.in)
	if err != nil {
		p.t.Fatalf("the stream was broken off after %d bytes: %v", len(rest), err)
	}
	if !strings.HasSuffix(string(rest), "\nid: -\n\n") {
		p.t.Fatalf("the stream ends within a frame: %.300q", rest[max(0, len(rest)-300):])
	}
	p.read(strings.NewReader(string(rest))).wantError(code)
}

// A stuck client loses its own stream, is told so, and finds that on a frame's
// end whenever it wakes up.
func TestAClientThatStopsReadingIsCutAndTold(t *testing.T) {
	t.Parallel()
	for name, size := range map[string]int{"256 B": 256, "4 KiB": 4 << 10, "60 KiB": 60 << 10} {
		t.Run(name, func(t *testing.T) {
			p := start(t, func(s *settings) { s.WriteDeadline = 250 * time.Millisecond })
			healthy := p.connect()
			s := p.stuck(all)
			p.flood(`"`+long(size)+`"`, healthy)
			await(t, "the stuck client's socket is given up", func() bool { return len(p.handler.outlets.registry.all()) == 1 })
			p.readOn(s, actors.SlowConsumer)
			if ended := p.system.Stats().Ended; ended[actors.SlowConsumer] != 1 || len(ended) != 1 {
				t.Errorf("ended: %v", ended)
			}
			if scraped := p.scrape(); !strings.Contains(scraped, `events_http_cut_streams_total{code="SlowConsumer",told="true"} 1`) {
				t.Error("the cut is not counted")
			}
		})
	}
}

// The deadline may change while a stream is open, and holds for it.
func TestTheWriteDeadlineChangesWhileServing(t *testing.T) {
	t.Parallel()
	p := start(t, func(s *settings) { s.WriteDeadline = time.Hour })
	healthy, s := p.connect(), p.stuck(all)
	if err := p.handler.SetPolicy(Policy{WriteDeadline: 250 * time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	p.flood(`"`+long(4<<10)+`"`, healthy)
	p.readOn(s, actors.SlowConsumer)
	if err := p.handler.SetPolicy(Policy{WriteDeadline: -1}); err == nil {
		t.Error("a negative deadline is taken")
	}
}

// With shared queues a stuck client is cut for what waits for it in memory,
// before its write's deadline; it is told all the same.
func TestAClientCutForItsBacklogIsToldToo(t *testing.T) {
	t.Parallel()
	p := start(t, func(s *settings) {
		s.WriteDeadline, s.actors.ShareQueues, s.actors.Limits.BacklogBytes = time.Hour, true, 64<<10
	})
	healthy := []*reader{p.connect(), p.connect(), p.connect()}
	s := p.stuck(all)
	p.flood(`"`+long(4<<10)+`"`, healthy...)
	await(t, "the stuck client's socket is given up", func() bool { return len(p.handler.outlets.registry.all()) == len(healthy) })
	p.readOn(s, actors.SlowConsumer)
}

// A frame that the kernel will not take cannot be completed. Ending the
// response in its middle would look like an end: it is reset instead.
func TestAClientStuckInALargeFrameIsResetNotEnded(t *testing.T) {
	t.Parallel()
	p := start(t, func(s *settings) { s.WriteDeadline = 250 * time.Millisecond })
	s := p.stuck(all)
	p.flood(`"` + long(8<<20) + `"`)
	p.gone()
	if _, err := io.Copy(io.Discard, s.in); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("the client found %v", err)
	}
}

// An end that comes while a write is blocked need not wait for its deadline.
func TestAStuckClientIsToldOfAShutdownBeforeItsDeadline(t *testing.T) {
	t.Parallel()
	p := start(t, func(s *settings) { s.WriteDeadline = time.Hour })
	s := p.stuck(all)
	p.publish("a", strings.Fields(strings.Repeat(long(60<<10)+" ", 30))...) // more than the sockets hold
	await(t, "the write is blocked", func() bool {
		clients := p.handler.outlets.registry.all()
		return len(clients) == 1 && clients[0].(*hijacked).writeUnderWay()
	})
	if err := p.system.Drain(bounded(t), 0); err != nil {
		t.Fatal(err)
	}
	await(t, "the client's socket is given up", func() bool { return len(p.handler.outlets.registry.all()) == 0 })
	p.readOn(s, actors.ServerShutdown)
}

// A client that never pauses is not cut, however many large messages lie before
// it: each is acknowledged when it has been written.
func TestAClientThatReadsSteadilyIsNotTakenForStopped(t *testing.T) {
	t.Parallel()
	const slowAfter, size, count = 5 * time.Second, 300 << 10, 25
	p := start(t, func(s *settings) { s.actors.Limits.SlowAfter, s.actors.Limits.Prefetch = slowAfter, 20 })
	s := p.stuck(all)
	for range count {
		p.publish("a", `"`+long(size)+`"`)
	}
	r := p.read(&paced{r: s.in, total: count * size, over: 2 * slowAfter})
	for range count {
		r.want("message")
	}
}

// paced reads bytes at an even rate.
type paced struct {
	r     io.Reader
	total int
	over  time.Duration
	start time.Time
	got   int
}

func (p *paced) Read(b []byte) (int, error) {
	if p.start.IsZero() {
		p.start = time.Now()
	}
	<-time.After(time.Until(p.start.Add(p.over * time.Duration(p.got) / time.Duration(p.total))))
	n, err := p.r.Read(b[:min(len(b), 4<<10)])
	p.got += n
	return n, err
}

// The stream ends for another reason while a large message is on its way to a
// slow client: the message arrives whole, and then the reason, as long as the
// client takes bytes.
func TestAMessageThatMovesIsFinishedBeforeTheReasonOfTheEnd(t *testing.T) {
	t.Parallel()
	const size = 1 << 20
	p := start(t, func(s *settings) { s.WriteDeadline = 2 * time.Second })
	s := p.stuck(all)
	p.publish("a", `"`+long(size)+`"`)
	r := p.read(&paced{r: s.in, total: size, over: 12 * time.Second}) // 3 s for what is written at once
	await(t, "the write is blocked", func() bool {
		open := p.handler.outlets.registry.all()
		return len(open) == 1 && open[0].(*hijacked).writeUnderWay()
	})
	p.broker.CloseChannels()
	if got := r.want("message"); !strings.Contains(got, long(size)) {
		t.Errorf("%d bytes arrived", len(got))
	}
	r.wantError(actors.BrokerLost)
}

// Messages behind the one that moves are not waited for: a client that needs
// minutes for what it has been sent learns of a shutdown in seconds.
func TestASlowClientIsToldTheEndBeforeItHasReadAllThatWaits(t *testing.T) {
	t.Parallel()
	const size, count = 64 << 10, 200
	p := start(t, func(s *settings) { s.actors.Limits.Prefetch = count })
	s := p.stuck(all)
	for range count {
		p.publish("a", `"`+long(size)+`"`)
	}
	r := p.read(&paced{r: s.in, total: count * size, over: 2 * time.Minute})
	r.want("message")
	drained := make(chan error, 1)
	go func() { drained <- p.system.Drain(bounded(t), 0) }()
	messages := 1
	for e := r.next(); e.Name == "message"; e = r.next() {
		messages++
	}
	if messages == count {
		t.Error("it was sent everything first")
	}
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

// A client that takes a large message slowly but steadily is not a stuck one.
func TestALargeMessageMayTakeLongerThanOneDeadline(t *testing.T) {
	t.Parallel()
	const deadline = 700 * time.Millisecond
	p := start(t, func(s *settings) { s.WriteDeadline = deadline })
	s := p.stuck(all)
	const size = 4 << 20
	p.publish("a", `"`+long(size)+`"`)
	begun := time.Now()
	for got := 0; got < size; { // over two deadlines
		n, err := io.CopyN(io.Discard, s.in, 128<<10)
		if got += int(n); err != nil {
			t.Fatalf("after %d bytes: %v", got, err)
		}
		if due := begun.Add(2 * deadline * time.Duration(got) / size); time.Now().Before(due) {
			<-time.After(time.Until(due))
		}
	}
	p.publish("a", `"the next"`)
	p.read(io.MultiReader(strings.NewReader("data: "), s.in)).want(sse.DefaultName)
}
