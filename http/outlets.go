package httpapi

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

// outlets is what all open responses share, whatever route or check has led to
// them: where they log and count, which are open, who notices that a client has
// gone, and how their sockets are treated.
type outlets struct {
	log      *slog.Logger
	metrics  *metrics
	sockets  socketOptions
	deadline atomic.Int64 // the time.Duration of one write, as Options.WriteDeadline
	registry *registry
	peers    peerWatcher
	hiding   sync.Map  // the types of which warnOfHidden has warned
	started  time.Time // with the monotonic clock, which no step of the wall clock moves
}

// socketOptions is how a response's socket is treated.
type socketOptions struct {
	vanishAfter time.Duration // as Options.VanishAfter
	sendBuffer  int           // as Options.WriteBuffer
	noHijack    bool          // as Options.NoHijack
}

func newOutlets(log *slog.Logger, m *metrics, sockets socketOptions, writeDeadline, pingPeriod time.Duration) *outlets {
	o := &outlets{
		log: log, metrics: m, sockets: sockets, registry: newRegistry(pingPeriod, m), peers: newPeerWatcher(),
		started: time.Now(),
	}
	o.deadline.Store(int64(writeDeadline))
	return o
}

// writeTimeout returns the time that one write may take now.
func (o *outlets) writeTimeout() time.Duration { return time.Duration(o.deadline.Load()) }

// errNoFlush: a middleware of the host hides http.Flusher.
var errNoFlush = errors.New("a middleware hides http.Flusher: no event would ever arrive")

// serve writes a stream to its client: over the socket itself where that can be
// taken over, which costs a fifth of the memory; else through the
// ResponseWriter. It closes the stream in the end, or the writer that it leaves
// behind does. It returns errNoFlush where neither way is open; nothing has been
// written then.
func (o *outlets) serve(w http.ResponseWriter, r *http.Request, s stream) error {
	served := false
	defer func() {
		if !served { // a host's ResponseWriter has panicked
			s.Close()
		}
	}()
	err := o.serveEither(w, r, s)
	served = true
	return err
}

func (o *outlets) serveEither(w http.ResponseWriter, r *http.Request, s stream) error {
	streamHeaders(w.Header())
	control := http.NewResponseController(w)
	if !o.sockets.noHijack && r.ProtoMajor == 1 {
		conn, _, err := control.Hijack()
		if err == nil {
			noteStatus(w, http.StatusOK)
			c := o.serveHijacked(conn, s, protocolOf(r), streamHead(r, w.Header()))
			c.endWith(r.Context())
			return nil
		}
		if !errors.Is(err, http.ErrNotSupported) {
			s.Close() // the connection is gone
			return nil
		}
	}
	if wrapper := hiddenBy(w, canFlush); wrapper != "" {
		s.Close()
		return fmt.Errorf("%w (%s)", errNoFlush, wrapper)
	}
	o.warnOfHidden(hiddenBy(w, canLimitWrites))
	o.serveFlushed(r.Context(), w, s, protocolOf(r))
	return nil
}

// warnOfHidden logs, once for each type, that a wrapper of the host hides the deadline of writes.
func (o *outlets) warnOfHidden(wrapper string) {
	if wrapper == "" {
		return
	}
	if _, known := o.hiding.LoadOrStore(wrapper, true); !known {
		o.log.Warn("a middleware hides SetWriteDeadline: a client that stops reading is not cut", "type", wrapper)
	}
}

// recovered logs and counts a panic of a writer.
func (o *outlets) recovered(v any, s stream) {
	o.metrics.panics.Inc()
	o.log.ErrorContext(s.Context(), "panic", "stream", s.ID(), "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
}
