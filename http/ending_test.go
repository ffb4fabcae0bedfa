package httpapi

import (
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// A socket that is closed while bytes of its client lie unread is reset by the kernel, and with it
// goes what the client has not read yet. So the client is read from for a second after the end.
func TestWhatAClientSendsAfterTheEndIsReadForASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := endedStream(t)
		client.SetDeadline(time.Now().Add(patience))
		for range 9 { // a write to a pipe returns when it has been read
			time.Sleep(100 * time.Millisecond)
			if _, err := io.WriteString(client, "more"); err != nil {
				t.Fatalf("the socket was closed too early: %v", err)
			}
		}
		ended := time.Now()
		if _, err := client.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("the socket is still open: %v", err)
		}
		if waited := time.Since(ended); waited > 200*time.Millisecond {
			t.Errorf("a silent client's socket was kept for %v longer", waited)
		}
	})
}

// A client that closes its side after the end is not waited for.
func TestASocketIsClosedAsSoonAsItsClientHasReadTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := endedStream(t)
		start := time.Now()
		client.Close()
		synctest.Wait()
		if left := len(client.handler.outlets.registry.all()); left != 0 || time.Since(start) != 0 {
			t.Errorf("%d streams are open", left)
		}
	})
}

// endedStream returns the client's end of a stream whose last event has been written and read.
func endedStream(t *testing.T) *pipeClient {
	h, s := New(testSystem(t), Options{}), &script{}
	client, server := net.Pipe()
	ended := make(chan struct{})
	h.outlets.serveHijacked(&halfPipe{Conn: server, ended: ended}, s, "HTTP/1", []byte("HEAD\r\n\r\n"))
	go s.offer(errDefect)
	want := "HEAD\r\n\r\n" + string(errorFrame(errDefect))
	got := make([]byte, len(want))
	if _, err := io.ReadFull(client, got); err != nil || string(got) != want {
		t.Fatalf("got %q, %v", got, err)
	}
	<-ended
	return &pipeClient{client, h}
}

// pipeClient is the client's end of a pipe to a handler.
type pipeClient struct {
	net.Conn
	handler *Handler
}

// halfPipe is a pipe that can end one of its directions, as TCP can.
type halfPipe struct {
	net.Conn
	ended chan struct{}
}

func (p *halfPipe) CloseWrite() error {
	close(p.ended)
	return nil
}

// A client that was cut and told why may be away for longer than a vanished one is waited for: a
// laptop that sleeps finds the error when it wakes up.
func TestAClientThatWasCutFindsItsErrorAfterALongAbsence(t *testing.T) {
	t.Parallel()
	const vanish = time.Second
	p := start(t, func(s *settings) { s.WriteDeadline, s.VanishAfter = 100*time.Millisecond, vanish })
	s := p.stuck(all)
	p.flood(`"` + long(4<<10) + `"`)
	p.gone()
	<-time.After(3 * vanish) // the absence itself
	p.readOn(s, actors.SlowConsumer)
}

// A connection between two requests costs a descriptor, and may not do so for ever.
func TestAConnectionThatAsksForNothingMoreIsClosed(t *testing.T) {
	p := start(t, func(s *settings) { s.server.IdleTimeout = 50 * time.Millisecond })
	s := p.dial("/v1/ping")
	s.head()
	if rest, err := io.ReadAll(s.in); err != nil { // ends with the connection
		t.Errorf("it is still open: %q, %v", rest, err)
	}
}

// The server's bounds hold without any option of its host program.
func TestAServersZeroOptionsBoundHeadsAndIdleConnections(t *testing.T) {
	s := NewServer(New(testSystem(t), Options{}), ServerOptions{})
	if s.http.ReadHeaderTimeout != 5*time.Second || s.http.IdleTimeout != 2*time.Minute || s.http.MaxHeaderBytes == 0 {
		t.Errorf("heads %v, idle %v, %d bytes", s.http.ReadHeaderTimeout, s.http.IdleTimeout, s.http.MaxHeaderBytes)
	}
}
