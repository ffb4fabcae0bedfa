package httpapi

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// Handler is the events proxy's public HTTP face over a System. It serves the
// event streams, the paths of load balancers, the API reference and the
// inspector page; Operator serves what is not for the public.
//
// A stream of HTTP/1.1 takes its connection over from net/http, so that an
// idle one costs neither a handler's goroutine nor its buffers; an
// http.Server forgets such connections. A host program that shuts down calls
// System.Drain, then Shutdown of the Handler, then Shutdown of its
// http.Server; Server does that by itself.
type Handler struct {
	system  *actors.System
	options Options
	log     *slog.Logger
	metrics *metrics
	open    *openStreams
	ends    ends
	origins origins
	started time.Time

	public   http.Handler
	operator http.Handler
}

// New gives a Handler over a System, ready to be mounted, at the root or below
// a prefix (with http.StripPrefix, or Options.RootPath). It panics where
// Options.Validate fails.
func New(system *actors.System, o Options) *Handler {
	if err := o.Validate(); err != nil {
		panic(fmt.Errorf("httpapi: %w", err))
	}
	o = o.withDefaults()
	or(&o.PingPeriod, system.PingPeriod())
	h := &Handler{
		system: system, options: o, log: o.Logger, metrics: newMetrics(system),
		ends: newEnds(), origins: newOrigins(o), started: time.Now(),
	}
	h.open = newOpenStreams(o.PingPeriod, h.metrics)
	h.public = h.withCORS(h.withSSL(h.routes()))
	h.operator = h.operatorRoutes()
	return h
}

// ServeHTTP serves one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := &answer{ResponseWriter: w}
	defer func() { h.metrics.answered(a.status) }()
	h.public.ServeHTTP(a, r)
}

// Operator serves what is for operators only, to be mounted on a listener of
// its own: /metrics, /__tree__ and the Dockerflow paths.
func (h *Handler) Operator() http.Handler { return h.operator }

// Shutdown turns new streams away with 503 and waits until every open one has
// ended; those that System.Drain has not ended are told ServerShutdown. When
// ctx ends first, the rest is cut, and the error says how many.
func (h *Handler) Shutdown(ctx context.Context) error { return h.open.shutDown(ctx) }

// answer remembers what was answered.
type answer struct {
	http.ResponseWriter
	status int // 0: nothing yet
}

// WriteHeader notes the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write notes that a body without a status is a 200.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// panicked notes a panic of ours in log and metrics.
func (h *Handler) panicked(v any, stack []byte, attrs ...any) {
	h.metrics.panics.Inc()
	h.log.Error("panic", append(attrs, "panic", fmt.Sprint(v), "stack", string(stack))...)
}

// answerPanic is the router's: a request whose handler panicked gets a 500, or
// where its answer has begun, a broken one. Streams see to themselves; an
// error page in an event stream would be read as fields.
func (h *Handler) answerPanic(w http.ResponseWriter, r *http.Request, v any) {
	if v == http.ErrAbortHandler {
		panic(v)
	}
	h.panicked(v, debug.Stack(), "method", r.Method, "path", r.URL.Path)
	if a, ok := w.(*answer); !ok || a.status != 0 {
		panic(http.ErrAbortHandler)
	}
	h.refuse(w, r, &actors.Error{Code: actors.InternalError, Reason: "A defect of this service"})
}
