// Package proxytest starts the whole proxy in a test's own process: the actors, the
// HTTP face and a listener on a free port of 127.0.0.1.
package proxytest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// Options of a Proxy.
type Options struct {
	Actors actors.Options
	HTTP   httpapi.Options

	// Wrap puts something around the handler, as a host program's middleware
	// does. Default: nothing.
	Wrap func(http.Handler) http.Handler
}

// Proxy is a running one.
type Proxy struct {
	URL     string // without a slash at the end
	System  *actors.System
	Handler *httpapi.Handler
	Ledger  *Ledger

	server server
	served chan error // what the server's end was
}

// server is our own, or a host program's around our handler.
type server interface {
	Serve(net.Listener) error
	Close() error
}

// Start returns when clients can connect. The broker need not be there.
func Start(o Options) (*Proxy, error) {
	ledger := &Ledger{}
	if o.Actors.Dialer != nil {
		o.Actors.Dialer = ledger.of(o.Actors.Dialer)
	}
	system, err := actors.Open(o.Actors)
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, system.Close())
	}
	o.HTTP.WholeHost = true // as the program's
	p := &Proxy{
		URL: "http://" + listener.Addr().String(), System: system, Handler: httpapi.New(system, o.HTTP), Ledger: ledger,
		served: make(chan error, 1), // whether or not Close is ever called
	}
	if p.server = httpapi.NewServer(p.Handler, httpapi.ServerOptions{}); o.Wrap != nil {
		p.server = &http.Server{Handler: o.Wrap(p.Handler)}
	}
	go func() { p.served <- p.server.Serve(listener) }() // ends by Close
	return p, nil
}

// Drain ends every stream as a shutdown does; the listener stays.
func (p *Proxy) Drain(ctx context.Context, spread time.Duration) error {
	return p.System.Drain(ctx, spread)
}

// Close ends it at once. Nothing of it is left when Close returns.
func (p *Proxy) Close() error {
	system := p.System.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	p.Handler.Shutdown(ctx) // clients that do not read their last event are cut
	closed := p.server.Close()
	if err := <-p.served; !errors.Is(err, http.ErrServerClosed) && err != nil {
		closed = errors.Join(closed, fmt.Errorf("serve: %w", err))
	}
	return errors.Join(system, closed)
}
