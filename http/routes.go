package httpapi

import (
	"net/http"

	"github.com/julienschmidt/httprouter"

	"github.com/taskcluster/events-proxy/http/inspector"
)

// The prefixes of the API: Taskcluster's, the one that the original's README
// shows, and the one below its old root URL.
var apiRoots = []string{"/api/events/v1", "/events/v1", "/v1"}

// routes are the public paths, all of them GET and HEAD. Nothing redirects: a
// redirect without CORS headers ends a cross-origin EventSource.
func (h *Handler) routes() http.Handler {
	r := newRouter(h)
	for _, root := range h.options.roots() {
		for _, api := range apiRoots {
			get(r, root+api+"/connect", h.connect)
			get(r, root+api+"/connect/", h.connect)
			get(r, root+api+"/ping", h.ping)
		}
		get(r, root+"/references/events/v1/api.json", h.reference)
		get(r, root+"/robots.txt", robots)
		h.health(r, root)

		page := http.StripPrefix(root, inspector.Handler())
		get(r, root+"/", page.ServeHTTP)
		get(r, root+"/inspector/*file", page.ServeHTTP)
	}
	return r
}

// operatorRoutes are the paths for operators.
func (h *Handler) operatorRoutes() http.Handler {
	r := newRouter(h)
	get(r, "/metrics", h.metrics.handler().ServeHTTP)
	get(r, "/__tree__", h.tree)
	get(r, "/__tree__/events", h.treeEvents)
	post(r, "/__tree__/end", h.endStream)
	if h.options.Chaos {
		post(r, "/__chaos__/crash", h.crash)
	}
	h.health(r, "")

	page := inspector.OperatorHandler()
	get(r, "/", page.ServeHTTP)
	get(r, "/inspector/*file", page.ServeHTTP)
	return r
}

// health are Dockerflow's paths.
func (h *Handler) health(r *httprouter.Router, root string) {
	get(r, root+"/__version__", h.version)
	get(r, root+"/__heartbeat__", h.heartbeat)
	get(r, root+"/__lbheartbeat__", h.lbheartbeat)
}

func newRouter(h *Handler) *httprouter.Router {
	r := httprouter.New()
	r.RedirectTrailingSlash, r.RedirectFixedPath = false, false
	r.HandleOPTIONS = false // ours answer 204
	r.NotFound = http.HandlerFunc(h.notFound)
	r.MethodNotAllowed = http.HandlerFunc(h.methodNotAllowed) // Allow is set
	r.PanicHandler = h.answerPanic
	return r
}

// post registers a path that changes something. Only same-origin pages and
// programs may ask for it: a page elsewhere must not act in an operator's name.
func post(r *httprouter.Router, path string, handle http.HandlerFunc) {
	r.Handler(http.MethodPost, path, http.NewCrossOriginProtection().Handler(handle))
}

// get registers a path for GET and HEAD, and for OPTIONS.
func get(r *httprouter.Router, path string, handle http.HandlerFunc) {
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r.HandlerFunc(method, path, handle)
	}
	r.HandlerFunc(http.MethodOptions, path, options)
}
