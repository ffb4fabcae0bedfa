package httpapi

import (
	"crypto/subtle"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
)

// guard returns a handler that lets operators through to next, and no other client:
// a web page that a browser on the operator's network has open must neither read
// the tree nor make anything fail.
func (h *Handler) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		boundBody(w, r)
		switch {
		case !h.isOperatorHost(r.Host):
			h.refuse(w, r, &actors.Error{Code: hostForbidden, Reason: "This listener is not known by the name in the Host header"})
		case !h.isOperator(r):
			w.Header().Set("WWW-Authenticate", `Basic realm="events operators"`)
			h.refuse(w, r, &actors.Error{Code: operatorsOnly, Reason: "This is for operators, who have a token"})
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// isOperatorHost reports whether the listener may be asked for under this name. A
// page's own name, made to point at this address (DNS rebinding), is none: a page
// can be served under any name, but not under an address that is not its own.
func (h *Handler) isOperatorHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if host == "localhost" || slices.ContainsFunc(h.policy.Load().OperatorHosts, func(name string) bool { return strings.EqualFold(name, host) }) {
		return true
	}
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil
}

// isOperator reports whether a request has the operators' token, where one is
// required: as a bearer token, or as the password of basic authentication, which
// browsers ask for and send with every request of the operators' page.
func (h *Handler) isOperator(r *http.Request) bool {
	token := h.policy.Load().OperatorToken
	if token == "" {
		return true
	}
	_, given, ok := r.BasicAuth()
	if !ok {
		scheme, credentials, _ := strings.Cut(r.Header.Get("Authorization"), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return false
		}
		given = strings.TrimSpace(credentials)
	}
	return subtle.ConstantTimeCompare([]byte(given), []byte(token)) == 1
}
