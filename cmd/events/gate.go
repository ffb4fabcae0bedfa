package main

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
	"github.com/taskcluster/events-proxy/http/access"
)

// gate asks clients for tokens. Its guard is replaced while the proxy runs; streams that are open do
// not notice.
type gate struct {
	log   *slog.Logger
	guard atomic.Pointer[access.Guard]
}

// newGate returns the gate of the settings; nil where every client is admitted, which it logs where
// others than programs of this machine reach the listener.
func newGate(c config.Config, listener net.Listener, log *slog.Logger) (*gate, error) {
	if !c.Auth.On() {
		if !isLoopback(listener.Addr()) {
			log.Warn("ACCESS CONTROL IS OFF: everyone who reaches this listener may read every message that the service may read at the broker; "+
				"EVENTS_AUTH_KEYS_FILE or EVENTS_AUTH_SECRET_FILE asks clients for tokens", "listener", listener.Addr())
		}
		return nil, nil
	}
	g := &gate{log: log}
	guard, err := g.guardOf(c)
	g.guard.Store(guard)
	return g, err
}

// guardOf returns the guard of settings, with the keys as their files have them now.
func (g *gate) guardOf(c config.Config) (*access.Guard, error) {
	return access.New(options.Auth(c, g.log))
}

// admit is httpapi.Options.Admit.
func (g *gate) admit(r *http.Request, q *actors.Request) (context.Context, error) {
	return g.guard.Load().Admit(r, q)
}

// isLoopback reports whether only programs on this machine reach an address.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
