package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os/signal"
	"syscall"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// proxy is the wiring, as code, and the life of the process:
//
//	settings ─▶ broker ─▶ system ─▶ handler ─▶ server ─▶ listening
//	                                                        │ ctx ends
//	                     status 0 ◀─ closed ◀─ drained ◀────┘
//
// It returns the exit status.
func (p process) proxy(ctx context.Context, c config.Config, broker amqp.Dialer, listener net.Listener, reloads reloads, listening func(url string)) int {
	defer listener.Close()         // for the returns before it is served
	signal.Ignore(syscall.SIGPIPE) // the end of the log's reader is not the end of the streams
	service := newServiceLog(p.stderr, c.Server)
	defer service.out.close(lastWords)
	p.log.Store(service)
	log := service.Logger
	certificate, err := newCertificate(c.Server, log)
	if err != nil {
		log.Error("cannot start", "error", err)
		return misused
	}
	operator, err := listenOperator(c.Server)
	if err != nil {
		log.Error("cannot start", "error", err)
		return failed
	}
	gate, err := newGate(c, listener, log)
	if err != nil {
		log.Error("cannot start", "error", err)
		return misused
	}
	system, err := actors.Open(options.System(c, broker, log))
	if err != nil {
		log.Error("cannot start", "error", err)
		return misused
	}
	tending, done := context.WithCancel(ctx)
	defer done()
	tendHeap(tending)
	url := urlOf(c.Server.Scheme(), listener)
	face := options.Handler(c, url, log)
	face.DroppedLogLines = service.out.dropped.Load
	if gate != nil {
		face.Admit = gate.admit
	}
	if c.Server.Pprof {
		face.OperatorExtra = profiles()
	}
	handler := httpapi.New(system, face)
	server := httpapi.NewServer(handler, httpapi.ServerOptions{TLS: certificate.config(), DrainDelay: c.Drain.Delay, DrainSpread: c.Drain.Spread})

	ended := make(chan error, 2) // one from each listener
	go func() { ended <- server.Serve(listener) }()
	operators := serveOperators(operator, handler, log, ended)
	defer operators.Close() // last of all: how the drain goes can be watched

	log.Info("listening on "+url, "build", buildLine(), "broker", cmp.Or(c.Pulse.Broker(), "in this process"), "profile", c.Profile, "file", c.File)
	listening(url)
	if operator != nil {
		fmt.Fprintf(p.stdout, "operators on %s\n", urlOf("http", operator))
	}
	reloader := &reloader{
		reloads: reloads, current: c, log: service, system: system, handler: handler, certificate: certificate, gate: gate,
		systemd: systemd{p.env("NOTIFY_SOCKET"), log}, status: "listening on " + url,
	}
	reloader.systemd.ready(reloader.status)
	return attend(ctx, c.Drain, server, reloader, ended)
}

// attend reloads settings as often as it is asked to, until ctx ends: then it drains; or until a
// server or the actors have ended. It returns the exit status.
func attend(ctx context.Context, d config.Drain, server *httpapi.Server, r *reloader, ended <-chan error) int {
	for {
		select {
		case <-ctx.Done():
			r.systemd.stopping(d.Delay + d.HardEnd)
			return drain(d, r.log.Logger, func(ctx context.Context) error {
				return errors.Join(server.Shutdown(ctx), r.system.Close())
			})
		case <-r.wanted:
			r.reload()
			continue
		case err := <-ended:
			r.log.Error("a server has ended", "error", err)
		case <-r.system.Done():
			r.log.Error("the actors have ended", "error", r.system.Err())
		}
		return failed // the process ends, and with it all that still runs
	}
}

// drain ends the streams and what served them, after the delay. shutDown cuts what has not ended at
// Drain.Time, and names it; at Drain.HardEnd the process ends without waiting for it any longer.
func drain(d config.Drain, log *slog.Logger, shutDown func(context.Context) error) int {
	hardEnd := time.After(d.Delay + d.HardEnd) // before anything else: nothing may hold it up
	ctx, cancel := context.WithTimeout(context.Background(), d.Delay+d.Time)
	defer cancel()
	log.Info("draining", "delay", d.Delay, "spread", d.Spread, "time", d.Time, "hardEnd", d.HardEnd)
	drained := make(chan error, 1)
	go func() { drained <- shutDown(ctx) }() // past the hard end it ends with the process
	select {
	case err := <-drained:
		if err != nil {
			log.Error("not everything ended in time", "error", err)
			return failed
		}
		log.Info("drained")
		return succeeded
	case <-hardEnd:
		log.Error("not drained: hard end")
		return failed
	}
}

// listen opens the public listener.
func listen(s config.Server) (net.Listener, error) {
	return net.Listen("tcp", net.JoinHostPort(s.Host, fmt.Sprint(s.Port)))
}

// listenOperator opens the operator's listener; nil where there is none.
func listenOperator(s config.Server) (net.Listener, error) {
	if s.Operator == "" {
		return nil, nil
	}
	listener, err := net.Listen("tcp", s.Operator)
	if err != nil {
		return nil, fmt.Errorf("the operators' listener: %w", err)
	}
	return listener, nil
}

// serveOperators serves metrics and the live tree; the server that it returns is to be closed, even
// if nothing is served.
func serveOperators(l net.Listener, h *httpapi.Handler, log *slog.Logger, ended chan<- error) *http.Server {
	server := &http.Server{
		Handler: h.Operator(), ReadHeaderTimeout: 5 * time.Second, IdleTimeout: 2 * time.Minute,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug), // or it writes to standard error itself
	}
	if l != nil {
		go func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				ended <- err
			}
		}()
	}
	return server
}

// urlOf returns the URL under which a program on this machine reaches a listener.
func urlOf(scheme string, l net.Listener) string {
	host, port, _ := net.SplitHostPort(l.Addr().String())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
