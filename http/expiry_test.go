package httpapi

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// Two proxies in a row, of which the first does not pass the client's end on: it goes on reading,
// so that no acknowledgement is missing, and no write fails. Only the greatest age ends the stream
// and its queue.
func TestAStreamWhoseClientHasGoneUnseenEndsAtItsGreatestAge(t *testing.T) {
	t.Parallel()
	p := start(t, func(s *settings) { s.actors.Limits.StreamAge = 300 * time.Millisecond })
	second := &http.Server{Handler: &httputil.ReverseProxy{
		FlushInterval: -1,
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(&url.URL{Scheme: "http", Host: p.address}) },
	}}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() {
		second.Serve(listener)
		close(served)
	}()
	defer func() {
		second.Close()
		<-served
	}()

	first, err := net.Dial("tcp", listener.Addr().String()) // held open: the client behind it has disconnected
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	first.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(first, "GET "+all+" HTTP/1.1\r\nHost: "+p.address+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(first), nil)
	if err != nil {
		t.Fatal(err)
	}
	p.read(answer.Body).wantError(actors.StreamExpired)
	await(t, "the queue is gone", func() bool { return len(p.broker.Queues()) == 0 && p.system.Health().Streams == 0 })
}
