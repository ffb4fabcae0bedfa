package httpapi

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// trickle sends a head that announces a body, and a byte of it now and then, until
// the connection ends; it returns what the server answers.
func (p *proxy) trickle(method, path string) *socket {
	p.t.Helper()
	s := p.dialRaw()
	fmt.Fprintf(s, "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n", method, path)
	go func() { // ends with the connection
		for {
			if _, err := io.WriteString(s, "x"); err != nil {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return s
}

// No request needs a body. One that never arrives holds neither the answer nor the
// connection: the answer comes at once, the end within bodyTimeout.
func TestABodyThatTricklesHoldsNothing(t *testing.T) {
	p := start(t, nil)
	for _, request := range []struct{ method, path, status string }{
		{"POST", "/v1/ping", "405"}, {"GET", "/v1/ping", "200"}, {"GET", connectPath("nonsense"), "200"}, {"GET", "/nothing", "404"}, {"POST", "/nothing", "404"},
	} {
		t.Run(request.method+request.path[:5], func(t *testing.T) {
			t.Parallel()
			s := p.trickle(request.method, request.path)
			s.t = t
			asked := time.Now()
			if line := s.line(); !strings.Contains(line, request.status) {
				t.Errorf("%s", line)
			}
			if took := time.Since(asked); took > bodyTimeout-time.Second {
				t.Errorf("the answer took %v", took)
			}
			if _, err := io.Copy(io.Discard, s.in); isTimeout(err) {
				t.Error("the connection goes on")
			}
		})
	}
}

func isTimeout(err error) bool {
	failed, ok := err.(net.Error)
	return ok && failed.Timeout()
}

// A stream whose request has a body is a stream all the same.
func TestAStreamWhoseRequestHasABodyGoesOn(t *testing.T) {
	for _, hijack := range []bool{true, false} {
		p := start(t, func(s *settings) { s.NoHijack = !hijack })
		s := p.trickle("GET", all)
		s.head()
		r := p.read(httpBody(s, hijack))
		r.want("ping")
		r.want("ready")
		p.publish("a", `1`)
		r.want("message")
		p.broker.CloseChannels()
		r.wantError(actors.BrokerLost)
	}
}

// httpBody returns a response's body, which net/http writes in chunks.
func httpBody(s *socket, hijacked bool) io.Reader {
	if hijacked {
		return s.in
	}
	return chunked{s}
}

// chunked reads the chunks of a body.
type chunked struct{ s *socket }

func (c chunked) Read(p []byte) (int, error) {
	var size int
	if _, err := fmt.Sscanf(c.s.line(), "%x\r\n", &size); err != nil || size == 0 {
		return 0, io.EOF
	}
	n, err := io.ReadFull(c.s.in, p[:size])
	c.s.line()
	return n, err
}

// An idle connection, one that has asked for nothing yet, and one that keeps its
// request waiting are no streams that have not ended.
func TestClientsWithoutAStreamDoNotSpoilAShutdown(t *testing.T) {
	t.Parallel()
	p := start(t, nil)
	p.dialRaw()
	io.WriteString(p.dialRaw(), "GET /v1/pi")
	p.trickle("GET", "/v1/ping").head()
	kept := p.dial("/v1/ping")
	kept.head()
	p.connect()
	ctx, cancel := context.WithTimeout(t.Context(), 2*requestGrace+bodyTimeout)
	defer cancel()
	if err := p.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// A client that sends on and on after its request is read from slowly: it costs
// little, and its stream goes on.
func TestWhatAClientSendsAfterItsRequestIsBounded(t *testing.T) {
	t.Parallel()
	server, trust := certificates(t)
	for _, secure := range []bool{false, true} {
		p := start(t, func(s *settings) {
			if secure {
				s.server.TLS = server
			}
		})
		s := p.dialRaw()
		if secure {
			s.Conn = tls.Client(s.Conn, &tls.Config{RootCAs: trust.RootCAs, ServerName: "example.com", NextProtos: []string{"http/1.1"}})
			s.in = bufio.NewReader(s.Conn)
		}
		fmt.Fprintf(s, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", all)
		s.head()
		r := p.read(s.in)
		r.want("ping")
		r.want("ready")
		s.SetWriteDeadline(time.Now().Add(2 * time.Second))
		sent, junk := 0, []byte(long(1<<20))
		for {
			n, err := s.Write(junk)
			if sent += n; err != nil {
				break
			}
		}
		if most := 16 << 20; sent > most { // what the kernel holds is most of it
			t.Errorf("TLS %v: %d MiB were taken", secure, sent>>20)
		}
		p.publish("a", `1`)
		r.want("message")
		s.Close()
		p.publish("a", `1`) // its end lies behind what it has sent: the next write, a ping at the latest, finds it
		p.gone()
	}
}
