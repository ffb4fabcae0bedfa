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

// gate asks clients for tokens where the settings say so. Its guard may be replaced while the proxy
// runs; streams that are open do not notice.
type gate struct {
	log      *slog.Logger
	listener net.Listener
	guard    atomic.Pointer[access.Guard] // nil: every client is admitted
}

// newGate returns the gate of the settings, and logs whether it stands open.
func newGate(c config.Config, listener net.Listener, log *slog.Logger) (*gate, error) {
	g := &gate{log: log, listener: listener}
	guard, err := g.guardOf(c)
	if err == nil {
		g.use(guard)
	}
	return g, err
}

// guardOf returns the guard of the settings, with the keys as they are now; nil where none is asked
// for.
func (g *gate) guardOf(c config.Config) (*access.Guard, error) {
	if !c.Auth.On() {
		return nil, nil
	}
	return access.New(options.Auth(c, g.log))
}

// use puts a guard into effect.
func (g *gate) use(guard *access.Guard) {
	before := g.guard.Swap(guard)
	switch {
	case guard == nil && !isLoopback(g.listener.Addr()):
		g.log.Warn("ACCESS CONTROL IS OFF: everyone who reaches this listener may read every message that the service may read at the broker; "+
			"EVENTS_AUTH_KEYS_FILE or EVENTS_AUTH_SECRET_FILE asks clients for tokens", "listener", g.listener.Addr())
	case guard != nil && before == nil:
		g.log.Info("access control is on: clients need a token")
	}
}

// admit is httpapi.Options.Admit.
func (g *gate) admit(r *http.Request, q *actors.Request) (context.Context, error) {
	if guard := g.guard.Load(); guard != nil {
		return guard.Admit(r, q)
	}
	return nil, nil
}

// isLoopback reports whether only programs on this machine reach an address.
func isLoopback(a net.Addr) bool {
	tcp, ok := a.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}
