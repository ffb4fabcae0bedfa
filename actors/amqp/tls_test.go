package amqp_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
)

// An amqps URL carries streams, and only to a broker whose certificate it trusts.
func TestAmqpsNeedsACertificateThatItTrusts(t *testing.T) {
	node := rabbit.Run(t)
	certificate, pool, file := selfSigned(t)
	front := secureFront(t, node.Address(), &tls.Config{Certificates: []tls.Certificate{certificate}})
	url := "amqps://guest:guest@" + front + "/%2F"

	for name, c := range map[string]struct {
		url     string
		tls     *tls.Config
		trusted bool
	}{
		"certificates given":     {url, &tls.Config{RootCAs: pool}, true},
		"a file named by URL":    {url + "?cacertfile=" + file, nil, true},
		"the system's":           {url, nil, false},
		"too old a version":      {url, &tls.Config{RootCAs: pool, MaxVersion: tls.VersionTLS11}, false},
		"another name is asked":  {url, &tls.Config{RootCAs: pool, ServerName: "elsewhere.example"}, false},
		"another name by URL":    {url + "?server_name_indication=elsewhere.example&cacertfile=" + file, nil, false},
		"no TLS where it is due": {"amqp" + strings.TrimPrefix(url, "amqps"), nil, false},
	} {
		r, err := amqp.NewRabbitMQ(c.url, amqp.RabbitMQOptions{TLS: c.tls, DialTimeout: 2 * time.Second})
		must(t, err)
		if !c.trusted {
			_, err := r.Dial(bounded(t))
			isKind(t, err, amqp.LinkLost)
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, r)
			must(t, w.publisher.Publish(bounded(t), w.exchange, "a", amqp.Message{CC: []string{"b"}, Body: make([]byte, 300_000)}))
			if d := next(t, w.channel); len(d.Body) != 300_000 || len(d.CC) != 1 {
				t.Errorf("got %d bytes, %v", len(d.Body), d.CC)
			}
		})
	}
}

// The certificates that a URL names are checked before the first dial.
func TestAURLWithBadCertificatesIsRefused(t *testing.T) {
	_, _, file := selfSigned(t)
	empty := filepath.Join(t.TempDir(), "empty")
	must(t, os.WriteFile(empty, nil, 0o600))
	for query, want := range map[string]string{
		"cacertfile=" + empty:                   "no certificate in",
		"cacertfile=/no/such/file":              "no such file",
		"certfile=" + file:                      "certfile and keyfile",
		"certfile=" + file + "&keyfile=" + file: "certfile and keyfile",
	} {
		_, err := amqp.NewRabbitMQ("amqps://a:b@localhost/?"+query, amqp.RabbitMQOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", query, err)
		}
	}
	_, err := amqp.NewRabbitMQ("amqps://a:b@localhost/?auth_mechanism=external", amqp.RabbitMQOptions{})
	must(t, err)
}

func selfSigned(t *testing.T) (tls.Certificate, *x509.CertPool, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	must(t, err)
	parsed, err := x509.ParseCertificate(der)
	must(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	file := filepath.Join(t.TempDir(), "ca.pem")
	must(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool, file
}

// secureFront takes TLS connections for a broker that has none. Everything it
// started is gone when the test has ended.
func secureFront(t *testing.T, broker string, config *tls.Config) (address string) {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	must(t, err)
	var work sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		work.Wait() // links are closed by cleanups that run before this one
	})
	work.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() { pipe(client, broker) })
		}
	})
	return l.Addr().String()
}

func pipe(client net.Conn, broker string) {
	defer client.Close()
	server, err := net.Dial("tcp", broker)
	if err != nil {
		return
	}
	var work sync.WaitGroup
	defer work.Wait()
	defer server.Close()
	work.Go(func() {
		io.Copy(client, server)
		client.Close()
	})
	io.Copy(server, client)
}
