package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// What a proxy in front says of the client, which counts where Options.TrustProxy
// is set. Each proxy of a row adds a value to these headers, as a further line or
// after a comma:
//
//	X-Forwarded-For: 203.0.113.9, 198.51.100.7   client … last proxy but one
//	X-Forwarded-Proto: https,http                how the client came … the last hop
const (
	headerForwardedFor   = "X-Forwarded-For"
	headerForwardedProto = "X-Forwarded-Proto"
)

// forwarded returns the values of a forwarding header, over all its lines, in
// order; none where the proxy in front is not trusted.
func (h *Handler) forwarded(r *http.Request, name string) []string {
	lines := r.Header.Values(name)
	if !h.options.TrustProxy || len(lines) == 0 {
		return nil
	}
	values := strings.Split(strings.Join(lines, ","), ",")
	for i, value := range values {
		values[i] = strings.TrimSpace(value)
	}
	return values
}

// clientAddress returns where a request comes from, without the port, for limits
// and logs. Behind a trusted proxy it is what that proxy has put last; what
// stands before that came with the request and may be forged.
func (h *Handler) clientAddress(r *http.Request) string {
	if values := h.forwarded(r, headerForwardedFor); len(values) > 0 {
		if address := parseAddress(values[len(values)-1]); address != "" {
			return address
		}
	}
	if address := parseAddress(r.RemoteAddr); address != "" {
		return address
	}
	return r.RemoteAddr
}

// secure reports whether the client itself came over https: to this process, or
// to the first of the proxies in front. Their own hops do not count, or a client
// that came over https would be redirected to https for ever. A client that forges
// the value is not redirected, and harms itself alone.
func (h *Handler) secure(r *http.Request) bool {
	if r.TLS != nil {
		return true
	}
	values := h.forwarded(r, headerForwardedProto)
	return len(values) > 0 && strings.EqualFold(values[0], "https")
}

// parseAddress returns an IP address in its canonical spelling, "" where s is
// none. Some proxies add the port.
func parseAddress(s string) string {
	if host, _, err := net.SplitHostPort(s); err == nil {
		s = host
	}
	address, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		return ""
	}
	return address.Unmap().WithZone("").String()
}
