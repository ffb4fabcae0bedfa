package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/sse"
	"github.com/taskcluster/events-proxy/test/script"
)

// steady is a client that reads without a pause, at a rate of its own.
type steady struct {
	*rig
	events *sse.Decoder
}

// steady opens a stream and reads until it is ready.
func (r *rig) steady(bytesPerSecond int) steady {
	r.Helper()
	address := strings.TrimPrefix(r.proxy.URL, "http://")
	conn, err := net.Dial("tcp", address)
	if err != nil {
		r.Fatal(err)
	}
	r.Cleanup(func() { conn.Close() })
	conn.(*net.TCPConn).SetReadBuffer(16 << 10)
	conn.SetDeadline(time.Now().Add(2 * time.Minute))
	fmt.Fprintf(conn, "GET %s?%s HTTP/1.1\r\nHost: %s\r\n\r\n", script.ConnectPath, script.Query(exchange, "#"), address)
	answer, err := http.ReadResponse(bufio.NewReaderSize(&paced{conn: conn, rate: bytesPerSecond}, 4<<10), nil)
	if err != nil {
		r.Fatal(err)
	}
	s := steady{r, sse.NewDecoder(answer.Body)}
	for s.next().Name != "ready" {
	}
	return s
}

func (s steady) next() sse.Event {
	s.Helper()
	e, err := s.events.Next()
	if err != nil {
		s.Fatalf("instead of an event: %v", err)
	}
	return e
}

// message returns the size of the next message.
func (s steady) message() int {
	s.Helper()
	for {
		switch e := s.next(); e.Name {
		case "message":
			return len(e.Data)
		case "error":
			s.Fatalf("instead of a message: %s", e.Data)
		}
	}
}

// ends reads the error event and the end.
func (s steady) ends(code actors.Code) {
	s.Helper()
	e := s.next()
	for e.Name == "ping" {
		e = s.next()
	}
	if e.Name != "error" || !strings.Contains(e.Data, fmt.Sprintf(`"code":%q`, code)) {
		s.Fatalf("got %.200q, want %s", e, code)
	}
	if _, err := s.events.Next(); !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		s.Fatalf("after the error event: %v", err)
	}
}

// paced reads at an even rate.
type paced struct {
	conn  net.Conn
	rate  int
	start time.Time
	got   int
}

func (p *paced) Read(b []byte) (int, error) {
	if p.start.IsZero() {
		p.start = time.Now()
	}
	<-time.After(time.Until(p.start.Add(time.Duration(p.got) * time.Second / time.Duration(p.rate))))
	n, err := p.conn.Read(b[:min(len(b), 4<<10)])
	p.got += n
	return n, err
}

// A31: a client that reads steadily, more slowly than a window of large messages can be written
// within the time after which a reader counts as stopped, gets all of them.
func TestA31AClientThatReadsSteadilyGetsEverything(t *testing.T) {
	t.Parallel()
	r := onRabbitMQ(t, settings{limits: actors.Limits{SlowAfter: 3 * time.Second}})
	const count, size = 12, 300 << 10
	s := r.steady(600 << 10)
	r.publish(1, count, size)
	for i := range count {
		if got := s.message(); got < size {
			t.Fatalf("message %d has %d bytes", i, got)
		}
	}
}

// A31b: the broker gives up waiting for the acknowledgement of a message that is on its way to a
// slow client. The client gets it whole, and then the reason. A broker that waits for ever, as RabbitMQ
// 4.3 does, leaves the stream open.
func TestA31bAMessageOnItsWayIsFinishedBeforeTheEnd(t *testing.T) {
	t.Parallel()
	node := alone(t)
	if err := node.SetAcknowledgementTimeout(t.Context(), 3*time.Second); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := node.SetAcknowledgementTimeout(ctx, 0); err != nil {
			t.Error(err)
		}
	})
	r := onRabbitMQ(t, settings{node: node})
	const size = 2 << 20
	s := r.steady(size / 15)
	r.publish(1, 1, size)
	if got := s.message(); got < size {
		t.Fatalf("%d bytes arrived", got)
	}
	if ends, err := node.EndsIdleConsumers(t.Context()); err != nil {
		t.Fatal(err)
	} else if !ends {
		r.publish(2, 1, 0)
		s.message()
		return
	}
	s.ends(actors.BrokerLost)
	r.eventually("its queue is gone", func() error { return r.queues(0) })
}
