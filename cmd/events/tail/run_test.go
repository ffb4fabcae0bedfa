package tail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io"
	"log"
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

const (
	pinged   = `ping {"time":"2026-11-25T18:00:00.000Z"}`
	isReady  = `ready {}`
	shutdown = `error {"code":"ServerShutdown","message":"The service is shutting down","retryable":true,"retryAfterMs":1}`
)

func aMessage(key, payload string) string {
	return `message {"payload":` + payload + `,"exchange":"exchange/e","routingKey":"` + key + `","redelivered":false,"routes":[]}`
}

// What a script reads is what the publisher sent, from a proxy and straight
// from a broker alike: numbers that no float holds, and nothing sorted.
func TestMessagesAreWrittenAsTheyCame(t *testing.T) {
	const payload = `{"z":12345678901234567890.10,"a":"<&>"}`
	const want = `{"payload":` + payload + `,"exchange":"e","routingKey":"a.b","redelivered":false,"routes":[]}` + "\n"
	for name, source := range map[string]func(r *rig) Source{
		"proxy": func(r *rig) Source { return r.at(r.proxy().URL, ProxyOptions{}, "e:a.*") },
		"broker": func(r *rig) Source {
			b, err := NewBroker("memory", actors.Options{Dialer: r.broker}, bindings(r.t, "e:a.*"))
			if err != nil {
				r.t.Fatal(err)
			}
			r.t.Cleanup(func() { b.Close() })
			return b
		},
	} {
		for _, filter := range []string{"", "true", "select(.payload.a)", ".routingKey == \"a.b\""} {
			t.Run(name+" "+filter, func(t *testing.T) {
				r := newRig(t)
				o := Options{Count: 2}
				if filter != "" {
					o.Filter = compiled(t, filter)
				}
				r.run(source(r), o)
				r.says("ready")
				r.publish("a.b", payload)
				r.publish("b.a", payload)
				r.publish("a.b", payload)
				r.ends(Done)
				if got := r.out.String(); got != want+want {
					t.Errorf("got %s", got)
				}
			})
		}
	}
}

func compiled(t *testing.T, program string) *Filter {
	t.Helper()
	f, err := NewFilter(program)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// A script that counts must know that its count has a hole: how long, and why.
func TestAGapIsSaidAndRecorded(t *testing.T) {
	r := newRig(t)
	url, requests := service(t,
		stream(pinged, isReady, aMessage("a", "1"), shutdown),
		answer(http.StatusBadGateway, "<html>"),
		stream(pinged, isReady, aMessage("b", "2")))
	r.run(r.at(url, ProxyOptions{}, "e"), Options{Count: 2})
	r.ends(Done)
	lines := strings.Split(strings.TrimSpace(r.out.String()), "\n")
	if len(lines) != 3 || !strings.Contains(lines[0], `"a"`) || !strings.Contains(lines[2], `"b"`) {
		t.Fatalf("written: %q", lines)
	}
	var record struct {
		Gap struct {
			Code         string
			Since, Until time.Time
			Seconds      float64
		}
	}
	if err := json.Unmarshal([]byte(lines[1]), &record); err != nil || record.Gap.Code != "ServerShutdown" || record.Gap.Until.Before(record.Gap.Since) {
		t.Errorf("the gap's record is %s", lines[1])
	}
	if notes := r.notes.String(); !strings.Contains(notes, "without a stream (ServerShutdown)") {
		t.Errorf("not said:\n%s", notes)
	}
	for _, request := range *requests {
		if id, there := request.Header["Last-Event-Id"]; there {
			t.Errorf("asked with Last-Event-ID %q", id)
		}
	}
}

// A gap that nothing follows is a gap: a script that reads to the end of the
// output must not take it for complete.
func TestAGapAtTheEndIsRecordedToo(t *testing.T) {
	r := newRig(t)
	url, _ := service(t, stream(isReady, shutdown), answer(503, "", "Retry-After", "3600"))
	r.run(r.at(url, ProxyOptions{}, "e"), Options{})
	r.says("the next try is in 1h")
	r.stop()
	r.ends(Interrupted)
	if got := r.out.String(); !strings.HasPrefix(got, `{"gap":{"code":"ServerShutdown"`) {
		t.Errorf("written: %s", got)
	}
}

// What was awaited may have come while there was no stream: only the script
// can find out.
func TestWaitEndsAtAGap(t *testing.T) {
	r := newRig(t)
	url, requests := service(t, stream(isReady, shutdown))
	r.run(r.at(url, ProxyOptions{}, "e"), Options{Count: 1, Wait: true})
	r.ends(Lost)
	if len(*requests) != 1 || r.out.String() != "" {
		t.Errorf("%d streams were opened, %q was written", len(*requests), r.out.String())
	}
}

// Nothing is missed before the first stream is ready: a service that starts
// late is waited for.
func TestWaitWaitsForAServiceThatIsNotThereYet(t *testing.T) {
	r := newRig(t)
	url, _ := service(t,
		answer(503, `{"code":"AtCapacity","message":"Full"}`),
		stream(pinged, `error {"code":"BrokerUnavailable","message":"No broker","retryable":true}`),
		stream(pinged, isReady, aMessage("a", "1")))
	r.run(r.at(url, ProxyOptions{}, "e"), Options{Count: 1, Wait: true})
	r.ends(Done)
	for _, want := range []string{"AtCapacity: Full", "BrokerUnavailable: No broker"} {
		r.says(want)
	}
}

// A refusal stays one: asking again would go on for ever.
func TestARefusalEndsIt(t *testing.T) {
	for want, handler := range map[string]http.HandlerFunc{
		"BindingRefused: The exchange": stream(pinged, `error {"code":"BindingRefused","message":"The exchange \"e\" does not exist","retryable":false}`),
		"404 Not Found":                answer(404, "<html>"),
		"OriginForbidden: No":          answer(403, `{"code":"OriginForbidden","message":"No"}`),
		"not an event stream":          answer(200, "<html>", "Content-Type", "text/html"),
		"not of the contract's form":   stream(`error "a text alone"`),
	} {
		t.Run(want, func(t *testing.T) {
			r := newRig(t)
			url, requests := service(t, handler)
			r.run(r.at(url, ProxyOptions{}, "e"), Options{})
			r.ends(Refused)
			r.says(want)
			if len(*requests) != 1 {
				t.Errorf("asked %d times", len(*requests))
			}
		})
	}
}

// A URL with the wrong scheme is named as that, at once: asking again would not mend it.
func TestAWrongSchemeIsNamed(t *testing.T) {
	secure, plain := httptest.NewTLSServer(http.NotFoundHandler()), httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	t.Cleanup(plain.Close)
	for _, server := range []*httptest.Server{secure, plain} {
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
	}
	nginx, _ := service(t, answer(http.StatusBadRequest, "<center>The plain HTTP request was sent to HTTPS port</center>", "Content-Type", "text/html"))
	for name, wrong := range map[string]struct{ url, says string }{
		"http to Go's TLS":    {"http" + strings.TrimPrefix(secure.URL, "https"), "the server speaks TLS: try " + secure.URL},
		"http to nginx's TLS": {nginx, "the server speaks TLS: try https" + strings.TrimPrefix(nginx, "http")},
		"http to a TLS alert": {alerting(t), "the server speaks TLS: try https://"},
		"https to plain HTTP": {"https" + strings.TrimPrefix(plain.URL, "http"), "the server speaks HTTP without TLS: try " + plain.URL},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.run(r.at(wrong.url, ProxyOptions{}, "e"), Options{})
			r.ends(Refused)
			r.says(wrong.says)
		})
	}
}

// alerting returns the URL of a server that answers what is no TLS with an alert.
func alerting(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return // the test is over
			}
			http.ReadRequest(bufio.NewReader(conn))
			conn.Write([]byte("\x15\x03\x01\x00\x02\x02\x46"))
			conn.Close()
		}
	})
	t.Cleanup(func() { listener.Close(); serving.Wait() })
	return "http://" + listener.Addr().String()
}

func TestATimeoutEndsIt(t *testing.T) {
	url, _ := service(t, func(w http.ResponseWriter, r *http.Request) {
		stream(isReady)(w, r)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	r := newRig(t)
	if got := Run(t.Context(), r.at(url, ProxyOptions{}, "e"), Options{Timeout: time.Second, Count: 1, Out: &r.out, Notes: &r.notes}); got != TimedOut {
		t.Errorf("outcome %d", got)
	}
	r.says("timed out after 1s with 0 of 1 messages")
	if got := Run(t.Context(), r.at(url, ProxyOptions{}, "e"), Options{Timeout: time.Second, Count: 1, Wait: true, Out: &r.out, Notes: &r.notes}); got != TimedOut {
		t.Errorf("outcome %d", got)
	}
	r.says("timed out after 1s: no message matched")
}

// A script that read for a minute, and in truth never had a stream, is to know.
func TestATimeoutWithoutAStreamIsTold(t *testing.T) {
	r := newRig(t)
	url, _ := service(t, answer(503, `{"code":"AtCapacity","message":"Full"}`))
	if got := Run(t.Context(), r.at(url, ProxyOptions{}, "e"), Options{Timeout: 50 * time.Millisecond, Out: &r.out, Notes: &r.notes}); got != NeverReady {
		t.Errorf("outcome %d", got)
	}
	r.says("timed out after 50ms: there was no stream")
}

// A certificate that is not accepted is a refusal: asking again would not mend it.
func TestACertificateThatIsNotAcceptedIsNamed(t *testing.T) {
	server := silentTLS(t, stream(isReady))
	elsewhere := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	trusting := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	for name, wrong := range map[string]struct {
		url, says string
		roots     *x509.CertPool
	}{
		"of another authority": {server.URL, "SSL_CERT_FILE=ca.pem trusts one", x509.NewCertPool()},
		"for another name":     {elsewhere, "not localhost", trusting},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			source := r.at(wrong.url, ProxyOptions{}, "e")
			source.options.Client.Transport.(*http.Transport).TLSClientConfig = &tls.Config{RootCAs: wrong.roots}
			r.run(source, Options{})
			r.ends(Refused)
			r.says(wrong.says)
		})
	}
}

// While a service's certificate is renewed, a stream that was there comes back.
func TestACertificateThatIsRenewedEndsNothing(t *testing.T) {
	server := silentTLS(t, stream(isReady))
	r := newRig(t)
	source := r.at(server.URL, ProxyOptions{}, "e")
	trust := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs}}
	distrust := &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: x509.NewCertPool()}}
	var tries atomic.Int64
	source.options.Client.Transport = roundTripper(func(request *http.Request) (*http.Response, error) {
		if tries.Add(1) == 2 {
			return distrust.RoundTrip(request)
		}
		return trust.RoundTrip(request)
	})
	r.run(source, Options{})
	r.says("no stream: Untrusted: ")
	r.says("without a stream (Cut)")
	r.stop()
	r.ends(Interrupted)
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// silentTLS serves over TLS and logs nothing.
func silentTLS(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(h)
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// A load balancer may keep a dead stream open for ever; pings tell.
func TestASilentStreamIsGivenUp(t *testing.T) {
	r := newRig(t)
	url, _ := service(t,
		func(w http.ResponseWriter, r *http.Request) {
			stream(isReady)(w, r)
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		stream(isReady, aMessage("a", "1")))
	r.run(r.at(url, ProxyOptions{Silence: 200 * time.Millisecond}, "e"), Options{Count: 1})
	r.ends(Done)
	r.says("Silent: no byte came for 200ms")
}

// The time that a reader takes over a message is not the stream's silence.
func TestASlowReaderIsNotASilentStream(t *testing.T) {
	const silence = 2 * time.Second
	r, more := newRig(t), make(chan struct{})
	url, _ := service(t, func(w http.ResponseWriter, r *http.Request) {
		stream(isReady)(w, r)
		w.(http.Flusher).Flush()
		<-more
		stream(aMessage("a", "1"))(w, r)
	})
	stream, err := r.at(url, ProxyOptions{Silence: silence}, "e").Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	if _, err := stream.Next(); err != nil {
		t.Fatal(err)
	}
	<-time.After(silence + silence/4)
	close(more)
	if _, err := stream.Next(); err != nil {
		t.Error(err)
	}
}

// A proxy that asks its clients to come back over a time, or after one, is
// heard; the token is read anew, since it may have ended.
func TestRetryAfterIsHeardAndTheTokenReadAgain(t *testing.T) {
	r := newRig(t)
	url, requests := service(t, answer(429, `{"code":"TooManyConnects","message":"Slowly"}`, "Retry-After", "1"), stream(isReady, aMessage("a", "1")))
	token := t.TempDir() + "/token"
	write(t, token, "first\n")
	r.run(r.at(url, ProxyOptions{TokenFile: token}, "e"), Options{Count: 1})
	r.says("the next try is in 1s")
	write(t, token, "second\n")
	r.ends(Done)
	var sent []string
	for _, request := range *requests {
		sent = append(sent, request.Header.Get("Authorization"))
	}
	if strings.Join(sent, ",") != "Bearer first,Bearer second" {
		t.Errorf("tokens sent: %q", sent)
	}
}

// broken fails every write.
type broken struct{ error }

func (b broken) Write([]byte) (int, error) { return 0, b.error }

// `events tail | head -1` is no failure; a full disk is.
func TestAReaderThatHasGoneIsNoFailure(t *testing.T) {
	for err, want := range map[error]Outcome{syscall.EPIPE: Done, syscall.ENOSPC: Failed} {
		r := newRig(t)
		url, _ := service(t, stream(isReady, aMessage("a", "1")))
		r.run(r.at(url, ProxyOptions{}, "e"), Options{Out: broken{err}})
		r.ends(want)
		if said := strings.Contains(r.notes.String(), "cannot be written"); said != (want == Failed) {
			t.Errorf("%v: %s", err, r.notes.String())
		}
	}
}

// stuck takes no byte until it is released.
type stuck chan struct{}

func (s stuck) Write(p []byte) (int, error) { <-s; return len(p), nil }

// Ctrl-C ends it, though the reader of its output stands still.
func TestAStuckReaderDoesNotHoldUpTheEnd(t *testing.T) {
	r, out := newRig(t), make(stuck)
	defer close(out)
	url, _ := service(t, stream(isReady, aMessage("a", "1")))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan Outcome, 1)
	go func() { ended <- Run(ctx, r.at(url, ProxyOptions{}, "e"), Options{Out: out, Notes: &r.notes}) }()
	r.says("ready")
	cancel()
	select {
	case <-ended:
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
}

// A mistake in the filter is said, once, and hides no message that is right.
func TestAFilterThatFailsIsSaidOnce(t *testing.T) {
	r := newRig(t)
	url, _ := service(t, stream(isReady, aMessage("a", "1"), aMessage("b", "2"), aMessage("c", `{"d":3}`)))
	r.run(r.at(url, ProxyOptions{}, "e"), Options{Count: 1, Filter: compiled(t, ".payload.d"), Raw: true})
	r.ends(Done)
	if notes := r.notes.String(); r.out.String() != "3\n" || strings.Count(notes, "the filter failed on a message") != 1 || !strings.Contains(notes, "on 2 messages in all") {
		t.Errorf("%s%s", r.out.String(), notes)
	}
}

// A program without an end ends with everything else.
func TestAnEndlessFilterIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := compiled(t, "def f: f; f").apply(ctx, []byte("1"), func([]byte) error { return nil })
	var failed *FilterError
	if !errors.As(err, &failed) || !errors.Is(failed.Cause, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestQuietSaysOnlyWhatIsWrong(t *testing.T) {
	r := newRig(t)
	url, _ := service(t, stream(isReady, aMessage("a", "1")))
	r.run(r.at(url, ProxyOptions{}, "e"), Options{Count: 1, Quiet: true})
	r.ends(Done)
	if notes := r.notes.String(); notes != "" || bytes.Count([]byte(r.out.String()), []byte("\n")) != 1 {
		t.Errorf("%s%s", notes, r.out.String())
	}
}
