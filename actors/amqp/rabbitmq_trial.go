package amqp

import (
	"cmp"
	"context"
	"crypto/tls"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
)

// Try opens a link to every address that the URL's hosts stand for, each by itself and all at the
// same time, and returns how each went, in the order of the hosts. Each takes at most
// RabbitMQOptions.DialTimeout. Dial does the same, and is content with one.
func (r *RabbitMQ) Try(ctx context.Context) []Trial {
	ctx, cancel := context.WithTimeout(ctx, r.options.DialTimeout)
	defer cancel()
	found := make([][]Trial, len(r.url.hosts))
	var work sync.WaitGroup
	for i, h := range r.url.hosts {
		work.Go(func() { found[i] = r.tryHost(ctx, h) })
	}
	work.Wait()
	return slices.Concat(found...)
}

func (r *RabbitMQ) tryHost(ctx context.Context, h host) []Trial {
	itself := Trial{Host: h.String(), Address: h.String(), Secure: r.url.secure}
	list := []Trial{itself}
	if _, err := netip.ParseAddr(h.name); err != nil {
		ips, err := r.lookup(ctx, "ip", h.name)
		if err != nil {
			itself.Address, itself.Failed, itself.Err = "", StepResolve, err
			return []Trial{itself}
		}
		list = nil
		for _, ip := range ips {
			itself.Address = net.JoinHostPort(ip.Unmap().String(), h.port)
			list = append(list, itself)
		}
	}
	var work sync.WaitGroup
	for i := range list {
		work.Go(func() { r.attempt(ctx, &list[i]) })
	}
	work.Wait()
	return list
}

// attempt takes the steps to a link.
func (r *RabbitMQ) attempt(ctx context.Context, t *Trial) {
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", t.Address)
	if err != nil {
		t.Failed, t.Err = StepConnect, err
		return
	}
	if t.Secure {
		if socket, err = r.secure(ctx, socket, t); err != nil {
			t.Failed, t.Err = StepSecure, err
			return
		}
	}
	counted := &countedConn{Conn: socket}
	interrupt := context.AfterFunc(ctx, func() { socket.Close() })
	connection, err := r.handshake(counted)
	if interrupt() && err == nil {
		t.Link = newRabbitLink(connection, counted, t.Address)
		return
	}
	socket.Close()
	switch t.Failed, t.Err = stepOf(err), err; {
	case ctx.Err() == nil:
	case counted.some.Load(): // the broker has begun: it is the login that it does not answer
		t.Failed, t.Err = StepLogin, context.DeadlineExceeded
	default:
		t.Failed, t.Err = StepSpeak, context.DeadlineExceeded
	}
}

// countedConn knows whether any byte came.
type countedConn struct {
	net.Conn
	some atomic.Bool
}

func (c *countedConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	if n > 0 {
		c.some.Store(true)
	}
	return n, err
}

// secure takes the step of TLS; it closes the socket where that fails.
func (r *RabbitMQ) secure(ctx context.Context, socket net.Conn, t *Trial) (net.Conn, error) {
	name, _, _ := net.SplitHostPort(t.Host)
	configuration := r.options.TLS.Clone()
	configuration.ServerName = cmp.Or(configuration.ServerName, name)
	encrypted := tls.Client(socket, configuration)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		socket.Close()
		return nil, err
	}
	t.Certificate = encrypted.ConnectionState().PeerCertificates[0]
	return encrypted, nil
}
