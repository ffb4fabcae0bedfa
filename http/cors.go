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

// origins are those whose pages may use the service; nil: all.
type origins map[string]bool

// newOrigins makes the allow-list. The service's own origin is always on it:
// its page is served from there.
func newOrigins(o Options) origins {
	if len(o.AllowOrigins) == 0 {
		return nil
	}
	allowed := origins{}
	if own := originOf(o.RootURL); own != "" {
		allowed[own] = true
	}
	for _, origin := range o.AllowOrigins {
		if origin == "*" {
			return nil
		}
		allowed[strings.ToLower(origin)] = true
	}
	return allowed
}

// withCORS puts the headers on whatever next answers. A request from an origin
// off the list is refused; one without an origin comes from no page.
func (h *Handler) withCORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header, origin := w.Header(), r.Header.Get("Origin")
		header.Set("Access-Control-Allow-Methods", corsMethods)
		header.Set("Access-Control-Allow-Headers", corsHeaders)
		header.Set("Access-Control-Max-Age", corsMaxAge)
		switch {
		case h.origins == nil:
			header.Set("Access-Control-Allow-Origin", "*")
		case origin == "":
			header.Add("Vary", "Origin")
		case h.origins[strings.ToLower(origin)]:
			header.Add("Vary", "Origin")
			header.Set("Access-Control-Allow-Origin", origin)
		default:
			header.Add("Vary", "Origin")
			h.refuse(w, r, &actors.Error{Code: originForbidden, Reason: "Pages of this origin may not use this service"})
			return
		}
		next.ServeHTTP(w, r)
	})
}
