package httpapi

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
)

// withSSL returns a handler that redirects clients that came over plain HTTP to
// https, where Options.ForceSSL is set. Load balancers ask for the Dockerflow
// paths from inside, and are answered.
func (h *Handler) withSSL(next http.Handler) http.Handler {
	if !h.options.ForceSSL {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case h.secure(r), strings.HasSuffix(r.URL.Path, "__"):
			next.ServeHTTP(w, r)
		case r.Method == http.MethodGet, r.Method == http.MethodHead:
			w.Header().Set("Location", "https://"+h.secureHost(r)+r.URL.RequestURI())
			w.WriteHeader(http.StatusMovedPermanently)
		default: // what was sent is no longer secret; a preflight may not be redirected
			h.refuse(w, r, &actors.Error{Code: sslRequired, Reason: "This service is to be reached over https"})
		}
	})
}

// secureHost returns the root URL's host where that is https, else the request's.
func (h *Handler) secureHost(r *http.Request) string {
	if u, err := url.Parse(h.options.RootURL); err == nil && u.Scheme == "https" {
		return u.Host
	}
	return r.Host
}
