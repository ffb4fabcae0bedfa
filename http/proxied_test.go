package httpapi

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// The headers of a proxy in front, and when they are believed.

func TestTheClientsAddressIsTheLastThatATrustedProxySays(t *testing.T) {
	for _, c := range []struct {
		trust     bool
		forwarded []string
		remote    string
		want      string
	}{
		{false, nil, "192.0.2.1:1234", "192.0.2.1"},
		{false, []string{"198.51.100.7"}, "192.0.2.1:1234", "192.0.2.1"},
		{true, nil, "192.0.2.1:1234", "192.0.2.1"},
		{true, []string{"198.51.100.7"}, "192.0.2.1:1234", "198.51.100.7"},
		{true, []string{"10.0.0.1, 203.0.113.9 , 198.51.100.7"}, "192.0.2.1:1234", "198.51.100.7"},
		{true, []string{"10.0.0.1", "198.51.100.7"}, "192.0.2.1:1234", "198.51.100.7"},
		{true, []string{"198.51.100.7:5678"}, "192.0.2.1:1234", "198.51.100.7"},
		{true, []string{"[2001:db8::1]:5678"}, "192.0.2.1:1234", "2001:db8::1"},
		{true, []string{"2001:DB8:0::1"}, "192.0.2.1:1234", "2001:db8::1"},
		{true, []string{"198.51.100.7, unknown"}, "192.0.2.1:1234", "192.0.2.1"},
		{true, []string{""}, "192.0.2.1:1234", "192.0.2.1"},
		{false, nil, "[::ffff:192.0.2.1]:1234", "192.0.2.1"},
		{false, nil, "[fe80::1%eth0]:1234", "fe80::1"},
		{false, nil, "@", "@"},
	} {
		h := &Handler{options: Options{TrustProxy: c.trust}}
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = c.remote
		r.Header["X-Forwarded-For"] = c.forwarded
		if got := h.clientAddress(r); got != c.want {
			t.Errorf("trust %v, %q from %s: got %s, want %s", c.trust, c.forwarded, c.remote, got, c.want)
		}
	}
}

// The limits by address see the clients, not the proxy in front.
func TestLimitsByAddressFollowXForwardedFor(t *testing.T) {
	for _, trust := range []bool{true, false} {
		p := start(t, func(s *settings) { s.TrustProxy, s.actors.Limits.StreamsPerAddress = trust, 1 })
		status := func(address string) int { return p.do("GET", all, "X-Forwarded-For", address).StatusCode }
		want := map[bool]int{true: http.StatusOK, false: http.StatusTooManyRequests}[trust]
		if got := []int{status("198.51.100.1"), status("198.51.100.2")}; got[0] != http.StatusOK || got[1] != want {
			t.Errorf("trust %v: %v", trust, got)
		}
		if got := status("198.51.100.1"); got != http.StatusTooManyRequests {
			t.Errorf("trust %v, the same address again: %d", trust, got)
		}
	}
}

// A client of IPv6 has a whole network of addresses, and one place in the limits.
func TestLimitsByAddressCountTheNetworkOfAnIPv6Client(t *testing.T) {
	p := start(t, func(s *settings) { s.TrustProxy, s.actors.Limits.StreamsPerAddress = true, 2 })
	status := func(address string) int { return p.do("GET", all, "X-Forwarded-For", address).StatusCode }
	for i := range 50 {
		want := http.StatusOK
		if i >= 2 {
			want = http.StatusTooManyRequests
		}
		if got := status(fmt.Sprintf("2001:db8:1:2:%x::1", i+1)); got != want {
			t.Errorf("address %d of the network: %d", i, got)
		}
	}
	if got := status("2001:db8:1:3::1"); got != http.StatusOK {
		t.Errorf("another network: %d", got)
	}
	for _, s := range p.system.Snapshot().Streams { // the operator sees the whole address
		if !strings.HasSuffix(s.Address, "::1") {
			t.Errorf("the operator sees %s", s.Address)
		}
	}
}

func TestForceSSLSendsClientsToHTTPS(t *testing.T) {
	p := start(t, func(s *settings) { s.ForceSSL = true })
	for _, method := range []string{"GET", "HEAD"} {
		answer := p.do(method, all)
		if want := "https://" + p.address + all; answer.StatusCode != http.StatusMovedPermanently || answer.Header.Get("Location") != want {
			t.Errorf("%s: %s to %s", method, answer.Status, answer.Header.Get("Location"))
		}
		wantCORS(t, "redirect", answer.Header, "*")
	}
	if answer := p.do("OPTIONS", all); answer.StatusCode != http.StatusForbidden {
		t.Errorf("a preflight: %s", answer.Status)
	}
	for _, path := range []string{"/__lbheartbeat__", "/__heartbeat__", "/__version__"} {
		if answer := p.do("GET", path); answer.StatusCode != http.StatusOK {
			t.Errorf("%s: %s", path, answer.Status)
		}
	}
	if answer := p.do("GET", "/v1/ping", "X-Forwarded-Proto", "https"); answer.StatusCode != http.StatusMovedPermanently {
		t.Errorf("a client that says so itself: %s", answer.Status)
	}
	if opened := p.system.Stats().Opened; opened != 0 {
		t.Errorf("%d streams were opened", opened)
	}
}

func TestForceSSLBelievesATrustedProxyAndUsesTheRootURLsHost(t *testing.T) {
	p := start(t, func(s *settings) {
		s.ForceSSL, s.TrustProxy, s.RootURL = true, true, "https://tc.example.com"
	})
	if answer := p.do("GET", "/v1/ping", "X-Forwarded-Proto", "https"); answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
	// The first value is the client's own hop; the others are between the proxies.
	for value, want := range map[string]int{
		"https,http": http.StatusOK, " HTTPS , http": http.StatusOK, "http,https": http.StatusMovedPermanently, "": http.StatusMovedPermanently,
	} {
		if answer := p.do("GET", "/v1/ping", "X-Forwarded-Proto", value); answer.StatusCode != want {
			t.Errorf("X-Forwarded-Proto %q: %s", value, answer.Status)
		}
	}
	answer := p.do("GET", "/v1/ping?a=b", "X-Forwarded-Proto", "http")
	if got := answer.Header.Get("Location"); got != "https://tc.example.com/v1/ping?a=b" {
		t.Error(got)
	}
}

func TestForceSSLLetsTLSPass(t *testing.T) {
	server, trust := certificates(t)
	p := start(t, func(s *settings) { s.server.TLS, s.ForceSSL = server, true })
	transport := &http.Transport{TLSClientConfig: trust}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("https://" + p.address + "/v1/ping")
	if err != nil {
		t.Fatal(err)
	}
	if answer.Body.Close(); answer.StatusCode != http.StatusOK {
		t.Error(answer.Status)
	}
}
