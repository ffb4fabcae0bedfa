package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// Handler is the events proxy's public HTTP face over a System. It serves the
// event streams, the paths of load balancers, the API reference and the
// inspector page; Operator serves what is not for the public. Its methods may
// be called concurrently.
//
// A stream of HTTP/1.1 takes its connection over from net/http, so that an
// idle one costs neither a handler's goroutine nor its buffers; an
// http.Server forgets such connections. A host program that shuts down calls
// System.Drain, then Shutdown of the Handler, then Shutdown of its
// http.Server; Server does that by itself, and Register makes the program's own do most of it.
type Handler struct {
	system  *actors.System
	options Options
	log     *slog.Logger
	metrics *metrics
	outlets *outlets
	started time.Time
	retired atomic.Bool // by Retire

	all      http.Handler // every public path
	operator http.Handler
	policy   atomic.Pointer[Policy]
	origins  atomic.Pointer[cors] // of the policy
}

// New returns a Handler over a System, ready to be mounted, at the root or below
// a prefix (with http.StripPrefix, or Options.RootPath). It panics where
// Options.Validate fails.
func New(system *actors.System, o Options) *Handler {
	if err := o.Validate(); err != nil {
		panic(fmt.Errorf("httpapi: %w", err))
	}
	o = o.withDefaults()
	or(&o.PingPeriod, system.PingPeriod())
	h := &Handler{system: system, options: o, log: o.Logger, metrics: newMetrics(system, o.Version, o.DroppedLogLines), started: time.Now()}
	h.outlets = newOutlets(o.Logger, h.metrics, o.sockets(), o.WriteDeadline, o.PingPeriod)
	h.use(o.policy())
	h.all = h.public(h.routes())
	h.operator = h.guard(h.operatorRoutes())
	return h
}

// ServeHTTP serves one request of any public path. Connect, Inspector and Health serve parts of them.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) { h.all.ServeHTTP(w, r) }

// public returns a handler that serves paths to the public: each answer is counted and has the
// headers of the policy's origins, and ForceSSL holds.
func (h *Handler) public(paths http.Handler) http.Handler {
	paths = h.withSSL(paths)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a := &answer{ResponseWriter: w}
		defer func() { h.metrics.answered(a.status) }()
		boundBody(w, r)
		defer boundBody(w, r) // what a stream has left of it
		h.origins.Load().serve(a, r, paths, h.refuse)
	})
}

// Operator returns the handler of what is for operators only, to be mounted on a
// listener of its own: the operator's page, /metrics, /__tree__ and the
// Dockerflow paths.
func (h *Handler) Operator() http.Handler { return h.operator }

// Retire makes /__ready__ and /__heartbeat__ answer 503 from now on, so that load
// balancers stop sending clients, while streams and newcomers are served as
// before. It comes some time before Shutdown.
func (h *Handler) Retire() { h.retired.Store(true) }

// Shutdown turns new streams away with 503 and waits until every open one has
// ended; those that System.Drain has not ended are told ServerShutdown. It
// returns nil then. When ctx ends first, the rest is cut, and the error states how
// many. Calling it again waits for the same end.
func (h *Handler) Shutdown(ctx context.Context) error { return h.outlets.registry.shutDown(ctx) }

// refuse answers with the code's status and the body of Taskcluster's services.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err *actors.Error) {
	h.metrics.refused(err.Code)
	writeRefusal(w, r, err)
}

// logPanic logs and counts a panic of a request's handler. It must be called while that is recovered.
func (h *Handler) logPanic(r *http.Request, v any) {
	h.metrics.panics.Inc()
	h.log.ErrorContext(r.Context(), "panic", "method", r.Method, "path", r.URL.Path, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
}

// answerPanic is called by the router: a request whose handler panicked gets a
// 500, or a broken answer where one has begun. Streams handle their own panics;
// an error page in an event stream would be read as fields.
func (h *Handler) answerPanic(w http.ResponseWriter, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	h.logPanic(r, v)
	if a, ok := w.(*answer); !ok || a.status != 0 {
		panic(http.ErrAbortHandler)
	}
	h.refuse(w, r, &actors.Error{Code: actors.InternalError, Reason: "A defect of this service"})
}
