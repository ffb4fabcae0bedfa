package doctor

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/config"
	"github.com/taskcluster/events-proxy/http/proxytest"
)

// managed is the package's node with the management plugin; nil before the first test that wants
// it.
var managed struct {
	sync.Mutex
	node *rabbit.Node
	dir  string
}

// TestMain lets four visits run side by side, unless -parallel has a number: they wait most of the
// time, for what does not answer and for statistics.
func TestMain(m *testing.M) {
	if err := flag.Set("test.parallel", "4"); err != nil {
		panic(err)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	status := m.Run()
	if managed.node != nil {
		managed.node.Close()
		os.RemoveAll(managed.dir)
	}
	if err := goleak.Find(); err != nil && status == 0 {
		os.Stderr.WriteString(err.Error())
		return 1
	}
	return status
}

func node(t *testing.T) *rabbit.Node {
	t.Helper()
	managed.Lock()
	defer managed.Unlock()
	if managed.node == nil {
		dir, err := os.MkdirTemp("", "doctor")
		must(t, err)
		managed.dir = dir
		managed.node, err = rabbit.StartManagedNode(t.Context(), dir)
		must(t, err)
	}
	return managed.node
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// at returns options for a broker's URL.
func at(t *testing.T, brokerURL string) Options {
	t.Helper()
	broker, err := amqp.NewRabbitMQ(brokerURL, amqp.RabbitMQOptions{})
	must(t, err)
	c := config.Default()
	c.Pulse.Namespace = broker.User()
	return Options{Config: c, Broker: broker}
}

// memory starts a proxy over the in-memory broker, on which there is the exchange e; what is wrong
// stands in front of it.
func memory(t *testing.T, front func(target *url.URL) http.Handler) Options {
	t.Helper()
	broker := amqp.NewMemory()
	publisher, err := broker.Publisher(t.Context())
	must(t, err)
	must(t, publisher.Declare(t.Context(), "e", "topic"))
	p, err := proxytest.Start(proxytest.Options{Actors: actors.Options{Dialer: broker, PingPeriod: 500 * time.Millisecond}})
	must(t, err)
	t.Cleanup(func() { p.Close(); publisher.Close(); broker.Close() })
	o := Options{Config: config.Default(), URL: p.URL, Bindings: []amqp.Binding{{Exchange: "e", Pattern: "#"}}, Patience: 2 * time.Second, Watch: 3 * time.Second}
	if front != nil {
		target, err := url.Parse(p.URL)
		must(t, err)
		s := httptest.NewServer(front(target))
		t.Cleanup(s.Close)
		o.URL = s.URL
	}
	return o
}

// passing is a reverse proxy that is as it should be.
func passing(target *url.URL) *httputil.ReverseProxy {
	return &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		FlushInterval: -1,
		Transport:     &http.Transport{DisableKeepAlives: true, DisableCompression: true},
		ErrorHandler:  func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
}

// wholeAnswers buffers as proxies do that cache, or look for viruses: nothing before the end.
func wholeAnswers(target *url.URL) http.Handler {
	p := passing(target)
	p.ModifyResponse = func(r *http.Response) error {
		body, err := io.ReadAll(r.Body)
		r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(body))
		return err
	}
	return p
}

// fullBuffers sends the head, and the body in pieces of 4 KiB, as nginx does with proxy_buffering
// on.
func fullBuffers(target *url.URL) http.Handler {
	p := passing(target)
	p.ModifyResponse = func(r *http.Response) error {
		body := r.Body
		r.Body = struct {
			io.Reader
			io.Closer
		}{&inPieces{from: body}, body}
		return nil
	}
	return p
}

type inPieces struct {
	from io.Reader
	rest bytes.Buffer
}

func (b *inPieces) Read(p []byte) (int, error) {
	if b.rest.Len() == 0 {
		if n, err := io.CopyN(&b.rest, b.from, 4096); n == 0 {
			return 0, err
		}
	}
	return b.rest.Read(p)
}

// compressing does so for clients that accept it.
func compressing(target *url.URL) http.Handler {
	p := passing(target)
	p.ModifyResponse = func(r *http.Response) error {
		if strings.Contains(r.Request.Header.Get("Accept-Encoding"), "gzip") {
			body := r.Body
			piped, w := io.Pipe()
			go func() { // ends with the answer
				z := gzip.NewWriter(w)
				_, err := io.Copy(z, body)
				w.CloseWithError(err)
			}()
			r.Body = struct {
				io.Reader
				io.Closer
			}{piped, closers{piped, body}}
			r.Header.Set("Content-Encoding", "gzip")
			r.Header.Del("Content-Length")
		}
		return nil
	}
	return p
}

type closers []io.Closer

func (list closers) Close() (err error) {
	for _, c := range list {
		err = c.Close()
	}
	return err
}

// cutting ends an answer on which nothing comes for a while.
func cutting(after time.Duration) func(*url.URL) http.Handler {
	return func(target *url.URL) http.Handler {
		p := passing(target)
		p.ModifyResponse = func(r *http.Response) error {
			body := r.Body
			timer := time.AfterFunc(after, func() { body.Close() })
			r.Body = struct {
				io.Reader
				io.Closer
			}{readerFunc(func(b []byte) (int, error) { timer.Reset(after); return body.Read(b) }), body}
			return nil
		}
		return p
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// changing edits requests or answers.
func changing(request func(*http.Request), answer func(http.Header)) func(*url.URL) http.Handler {
	return func(target *url.URL) http.Handler {
		p := passing(target)
		if request != nil {
			rewrite := p.Rewrite
			p.Rewrite = func(r *httputil.ProxyRequest) { rewrite(r); request(r.Out) }
		}
		if answer != nil {
			p.ModifyResponse = func(r *http.Response) error { answer(r.Header); return nil }
		}
		return p
	}
}

// mute accepts connections and says nothing.
func mute(t *testing.T) (address string) { return speaking(t, "") }

// speaking accepts connections and says this on each.
func speaking(t *testing.T, words string) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	var open sync.WaitGroup
	var mu sync.Mutex
	var sockets []net.Conn
	open.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			sockets = append(sockets, c)
			io.WriteString(c, words)
			mu.Unlock()
		}
	})
	t.Cleanup(func() {
		l.Close()
		open.Wait()
		for _, c := range sockets {
			c.Close()
		}
	})
	return l.Addr().String()
}

// closed is an address at which nothing listens.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	l.Close()
	return l.Addr().String()
}

// certificate makes one for a name, or for 127.0.0.1 where the name is empty, and the file of its
// authority, which is itself.
func certificate(t *testing.T, name string, until time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: until, IsCA: true, BasicConstraintsValid: true}
	if name == "" {
		template.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	must(t, err)
	file := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(file, pemOf(der), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// secured puts TLS before an address.
func secured(t *testing.T, address string, c tls.Certificate) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{c}})
	must(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var open sync.WaitGroup
	open.Go(func() {
		for {
			outside, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() { join(ctx, outside, address) })
		}
	})
	t.Cleanup(func() { cancel(); l.Close(); open.Wait() })
	return l.Addr().String()
}

// join copies between a socket and an address until either ends.
func join(ctx context.Context, outside net.Conn, address string) {
	defer outside.Close()
	inside, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { outside.Close(); inside.Close() })
	defer stop()
	var both sync.WaitGroup
	both.Go(func() { io.Copy(inside, outside); inside.Close() })
	io.Copy(outside, inside)
	outside.Close()
	both.Wait()
}
