package httpapi

import (
	"net/http"
	"strings"

	"github.com/julienschmidt/httprouter"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/inspector"
)

// The prefixes of the API: Taskcluster's, the one that the original's README
// shows, and the one below its old root URL.
var apiRoots = []string{"/api/events/v1", "/events/v1", "/v1"}

// routes returns the router of the public paths, all of them GET and HEAD.
// Nothing redirects: a redirect without CORS headers ends a cross-origin
// EventSource.
func (h *Handler) routes() http.Handler {
	r := newRouter(h)
	for _, api := range apiRoots {
		get(r, api+"/connect", h.connect)
		get(r, api+"/connect/", h.connect)
		get(r, api+"/ping", h.ping)
	}
	get(r, "/references/events/v1/api.json", h.reference)
	h.health(r)
	if h.options.WholeHost {
		get(r, "/robots.txt", robots)
		get(r, "/__version__", h.version)
	}
	site(r, inspector.Handler())
	return below(h.options.roots(), r)
}

// below returns a handler that serves a router's paths below further roots, too:
// where the router knows what follows a root, that is the path. A root is no part
// of the router's tree, so that it may hold what means something there.
func below(roots []string, r *httprouter.Router) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		for _, root := range roots {
			rest, found := strings.CutPrefix(request.URL.Path, root)
			if !found || !strings.HasPrefix(rest, "/") {
				continue
			}
			if known, _, _ := r.Lookup(http.MethodGet, rest); known != nil {
				request = withPath(request, rest)
				break
			}
		}
		r.ServeHTTP(w, request)
	})
}

// withPath returns a request for another path of the same host.
func withPath(r *http.Request, path string) *http.Request {
	other, target := *r, *r.URL
	other.URL, target.Path, target.RawPath = &target, path, ""
	return &other
}

// site registers a page and its files.
func site(r *httprouter.Router, page *inspector.Site) {
	for _, path := range page.Paths() {
		get(r, path, page.ServeHTTP)
	}
}

// operatorRoutes returns the router of the paths for operators.
func (h *Handler) operatorRoutes() http.Handler {
	r := newRouter(h)
	get(r, "/metrics", h.metrics.handler().ServeHTTP)
	get(r, "/__tree__", h.tree)
	get(r, "/__tree__/events", h.treeEvents)
	get(r, "/__tree__/ends", h.ends)
	post(r, "/__tree__/end", h.endStreams)
	if h.options.Chaos {
		post(r, "/__chaos__/crash", h.crash)
	}
	h.health(r)
	get(r, "/__version__", h.version)
	site(r, inspector.OperatorHandler())
	if extra := h.options.OperatorExtra; extra != nil {
		r.NotFound = extra
	}
	return r
}

// health registers the paths of probes, Dockerflow's among them.
func (h *Handler) health(r *httprouter.Router) {
	get(r, "/__heartbeat__", h.heartbeat)
	get(r, "/__lbheartbeat__", h.lbheartbeat)
	get(r, "/__ready__", h.ready)
}

// newRouter returns a router without routes that answers errors as the contract
// says.
func newRouter(h *Handler) *httprouter.Router {
	r := httprouter.New()
	r.RedirectTrailingSlash, r.RedirectFixedPath = false, false
	r.HandleOPTIONS = false // ours answers 204
	r.NotFound = http.HandlerFunc(h.notFound)
	r.MethodNotAllowed = http.HandlerFunc(h.methodNotAllowed) // Allow is set
	r.PanicHandler = h.answerPanic
	return r
}

// post registers a path that changes something. It answers pages of the same
// origin, and programs: a page elsewhere must not act in an operator's name.
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

// options answers OPTIONS; the CORS headers have been set.
func options(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", corsMethods)
	w.WriteHeader(http.StatusNoContent)
}

func (h *Handler) notFound(w http.ResponseWriter, r *http.Request) {
	h.refuse(w, r, &actors.Error{Code: notFound, Reason: "There is nothing at this path"})
}

func (h *Handler) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	h.refuse(w, r, &actors.Error{Code: methodNotAllowed, Reason: "This path answers " + w.Header().Get("Allow")})
}
