package httpapi

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"
)

// ServerOptions of a Server. Every zero value works.
type ServerOptions struct {
	// TLS makes the server speak TLS, HTTP/2 included. Default: plain HTTP/1.1
	// and HTTP/2 with prior knowledge, for a proxy in front.
	TLS *tls.Config

	// HeadTimeout is how long a request's head may take to arrive. Default 5 s.
	HeadTimeout time.Duration

	// IdleTimeout is how long a connection may wait for its next request.
	// Default 120 s.
	IdleTimeout time.Duration

	// DrainDelay is how long Shutdown serves everything as before, while
	// /__ready__ and /__heartbeat__ are 503: a load balancer gets the time to send
	// clients elsewhere. Default 0: no delay.
	DrainDelay time.Duration

	// DrainSpread is the time over which Shutdown ends the open streams, so
	// that their clients do not come back all at once. Default 0: no spread.
	DrainSpread time.Duration
}

// Server serves a Handler on listeners, and ends in the right order. A program
// with an HTTP server of its own does not need it. Its methods may be called
// concurrently.
type Server struct {
	handler *Handler
	options ServerOptions
	http    *http.Server
}

// NewServer returns a Server for a Handler.
func NewServer(h *Handler, o ServerOptions) *Server {
	or(&o.HeadTimeout, 5*time.Second)
	or(&o.IdleTimeout, 2*time.Minute)
	server := &http.Server{
		Handler:           withConnContext(h),
		ReadHeaderTimeout: o.HeadTimeout,
		IdleTimeout:       o.IdleTimeout,
		// No WriteTimeout: a stream has a deadline for each write instead.
		// What is above our own limit and below this one is refused with a
		// proper answer (tooLarge), what is above both by net/http's 431.
		MaxHeaderBytes: 2 * h.options.HeadBytes,
		ErrorLog:       slog.NewLogLogger(h.log.Handler(), slog.LevelDebug),
		TLSConfig:      o.TLS,
		Protocols:      new(http.Protocols),
		ConnContext: func(ctx context.Context, conn net.Conn) context.Context {
			limitUnacked(underlying(conn), h.options.VanishAfter) // for streams that stay inside net/http; a hijacked one is tuned by itself
			return &connContext{Context: ctx, conn: conn}
		},
		// HTTP/2 has frames of its own to ask whether a client is there.
		HTTP2: &http.HTTP2Config{SendPingTimeout: h.options.VanishAfter / 2, PingTimeout: h.options.VanishAfter / 2},
	}
	server.Protocols.SetHTTP1(true)
	server.Protocols.SetHTTP2(true)
	server.Protocols.SetUnencryptedHTTP2(true)
	return &Server{handler: h, options: o, http: server}
}

// Serve accepts connections until Shutdown or Close, and returns nil then; any
// other end is an error. It may be called for several listeners, and closes
// the one it was called with.
func (s *Server) Serve(l net.Listener) error {
	var err error
	accepting := &listener{Listener: l, log: s.handler.log, metrics: s.handler.metrics}
	if s.options.TLS != nil {
		err = s.http.ServeTLS(accepting, "", "")
	} else {
		err = s.http.Serve(accepting)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve %s: %w", l.Addr(), err)
}

// Shutdown ends the service and the System's streams, and returns nil once all
// have ended:
//
//  1. /__ready__ and /__heartbeat__ are 503, and for DrainDelay nothing else
//     changes, so that a load balancer can see it
//  2. new streams are refused with 503, while the listeners stay open
//  3. every stream ends with ServerShutdown (System.Drain, over DrainSpread)
//  4. the clients get the time to read that
//  5. the listeners and the connections are closed; requests without a stream
//     get a second
//
// When ctx ends first, what is left is cut, and the error names it.
func (s *Server) Shutdown(ctx context.Context) error {
	h := s.handler
	h.Retire()
	pause(ctx, s.options.DrainDelay)
	drained := h.system.Drain(ctx, s.options.DrainSpread)
	ended := h.Shutdown(ctx)
	s.closeConnections(ctx)
	return errors.Join(drained, ended)
}

// pause waits for a time, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// requestGrace is what requests without a stream get when all streams have ended.
const requestGrace = time.Second

// closeConnections closes the listeners and the connections. None of them has a
// stream: those that do not end in time were idle, or their clients keep a request
// waiting, and no error is made of that.
func (s *Server) closeConnections(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, requestGrace)
	defer cancel()
	if s.http.Shutdown(ctx) != nil {
		s.http.Close()
	}
}

// Close ends the service at once, and returns an error of closing the listeners.
// Streams are cut, maybe in the middle of a frame. The System goes on.
func (s *Server) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s.handler.Shutdown(ctx) // an error means that streams were cut, which Close is about to do
	return s.http.Close()
}
