package httpapi

import (
	"net/http"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
)

// The CORS headers are on every answer, to requests without an Origin and to
// errors too: a page that may not read a 429 cannot tell it from a dead
// network. That is why this layer is ours; the libraries answer cross-origin
// requests only, and preflights with the one header that was asked for.
const (
	corsMethods = "GET, HEAD, OPTIONS"
	// Cache-Control is what EventSource polyfills send; without it here their
	// preflight fails.
	corsHeaders = "X-Requested-With, Content-Type, Authorization, Accept, Origin, Cache-Control, Last-Event-ID"
	corsMaxAge  = "900"
)

// cors is the set of origins whose pages may use the service; nil: all.
type cors map[string]bool

// newCORS returns the allow-list. The service's own origin is always on it: its
// page is served from there.
func newCORS(rootURL string, origins []string) cors {
	if len(origins) == 0 {
		return nil
	}
	allowed := cors{}
	if own := originOf(rootURL); own != "" {
		allowed[own] = true
	}
	for _, origin := range origins {
		if origin == "*" {
			return nil
		}
		allowed[strings.ToLower(origin)] = true
	}
	return allowed
}

// refuser answers a request with an error.
type refuser func(http.ResponseWriter, *http.Request, *actors.Error)

// serve puts the headers on whatever next answers. A request from an origin off
// the list is refused; one without an origin comes from no page.
func (c cors) serve(w http.ResponseWriter, r *http.Request, next http.Handler, refuse refuser) {
	header, origin := w.Header(), r.Header.Get("Origin")
	header.Set("Access-Control-Allow-Methods", corsMethods)
	header.Set("Access-Control-Allow-Headers", corsHeaders)
	header.Set("Access-Control-Max-Age", corsMaxAge)
	switch {
	case c == nil:
		header.Set("Access-Control-Allow-Origin", "*")
	case origin == "":
		header.Add("Vary", "Origin")
	case c[strings.ToLower(origin)]:
		header.Add("Vary", "Origin")
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Allow-Credentials", "true") // cookies of a proxy that guards the service
	default:
		header.Add("Vary", "Origin")
		refuse(w, r, &actors.Error{Code: originForbidden, Reason: "Pages of this origin may not use this service"})
		return
	}
	next.ServeHTTP(w, r)
}
