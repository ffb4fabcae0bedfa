package httpapi

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/taskcluster/events-proxy/http/inspector"
)

// The handler's parts, for a program that has routes of its own. Each is as ServeHTTP serves it: with
// the CORS headers, counted in the metrics, and over https with ForceSSL.

// Connect returns the handler of the event stream alone. It answers any path, the one that the
// program mounts it at.
func (h *Handler) Connect() http.Handler {
	r := newRouter(h)
	get(r, "/", h.connect)
	return h.public(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		r.ServeHTTP(w, withPath(request, "/"))
	}))
}

// Inspector returns the handler of the inspector page at "/", its files, and the stream that it reads
// beside it. The page works below any prefix that ends in a slash, with [http.StripPrefix].
func (h *Handler) Inspector() http.Handler {
	r := newRouter(h)
	site(r, inspector.Handler())
	get(r, apiRoots[0]+"/connect/", h.connect)
	return h.public(r)
}

// Health returns the handler of the paths for probes: /__heartbeat__, /__lbheartbeat__ and /__ready__.
func (h *Handler) Health() http.Handler {
	r := newRouter(h)
	h.health(r)
	return h.public(r)
}

// Collector returns the metrics of the handler and its System, without those of the Go runtime and the
// process: for the registry of a program that has one. Their names start with events_; where one
// registry holds several handlers, [prometheus.WrapRegistererWith] gives each a label of its own.
func (h *Handler) Collector() prometheus.Collector { return h.metrics.exported }
