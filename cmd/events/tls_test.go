package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// selfSigned writes a certificate for 127.0.0.1 and its key, and returns the pool that trusts it.
func selfSigned(t *testing.T) (certificate, key string, trust *x509.CertPool) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	public, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	secret, err := x509.MarshalECPrivateKey(private)
	must(t, err)
	certificate, key = filepath.Join(t.TempDir(), "c.pem"), filepath.Join(t.TempDir(), "k.pem")
	chain := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: public})
	must(t, os.WriteFile(certificate, chain, 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: secret}), 0o600))
	trust = x509.NewCertPool()
	trust.AppendCertsFromPEM(chain)
	return certificate, key, trust
}

// With a certificate browsers get HTTP/2, and with it more than six streams of one page, without
// any proxy in front.
func TestCertificateMakesHTTP2(t *testing.T) {
	certificate, key, trust := selfSigned(t)
	demo := start(t, nil, "demo", "--port=0", "--tls-certificate", certificate, "--tls-key", key)
	link := demo.says(`curl -N '(https://[^']+)'`)[1]
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trust}, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: patience}
	for range 8 {
		r, err := client.Get(link)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		for f := range frames(r.Body) {
			if f.name == "ready" {
				break
			}
		}
		if r.ProtoMajor != 2 {
			t.Fatalf("a stream over %s", r.Proto)
		}
	}
	demo.signal(syscall.SIGTERM)
	demo.ends(succeeded)
}

func TestCertificateThatCannotBeRead(t *testing.T) {
	certificate, _, _ := selfSigned(t)
	r := execute(t, nil, "demo", "--port=0", "--tls-certificate", certificate, "--tls-key", "/nowhere.pem")
	if r.status != misused || !strings.Contains(r.stderr, "/nowhere.pem") {
		t.Errorf("%+v", r)
	}
}
