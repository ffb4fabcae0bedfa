package httpapi

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// clientAddress returns where a request comes from, without the port, for limits
// and logs. Behind a trusted proxy it is what that proxy has put last into
// X-Forwarded-For; what stands before that came with the request and may be
// forged.
func (h *Handler) clientAddress(r *http.Request) string {
	if h.options.TrustProxy {
		if lines := r.Header.Values("X-Forwarded-For"); len(lines) > 0 {
			list := lines[len(lines)-1]
			last := strings.TrimSpace(list[strings.LastIndexByte(list, ',')+1:])
			if address := parseAddress(last); address != "" {
				return address
			}
		}
	}
	if address := parseAddress(r.RemoteAddr); address != "" {
		return address
	}
	return r.RemoteAddr
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
