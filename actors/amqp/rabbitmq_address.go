package amqp

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"
)

// RabbitMQOptions say how to dial; the zero value works.
type RabbitMQOptions struct {
	Name        string        // connection_name, shown in the broker's management; default "events"
	Heartbeat   time.Duration // whole seconds; default: the URL's, or Heartbeat
	DialTimeout time.Duration // of a dial as a whole, whatever addresses it tries; default: the URL's, or DialTimeout

	// TLS is used for amqps URLs, and never edited. Default: the system's certificates, or those
	// that the URL's query names. TLS 1.2 is the least unless it says otherwise. Without a
	// ServerName each address must show a certificate for the host that the URL has for it.
	TLS *tls.Config
}

func (o RabbitMQOptions) withDefaults(u brokerURL) RabbitMQOptions {
	o.Name = cmp.Or(o.Name, "events")
	o.Heartbeat = cmp.Or(o.Heartbeat, u.heartbeat, Heartbeat)
	o.DialTimeout = cmp.Or(o.DialTimeout, u.dialTimeout, DialTimeout)
	return o
}

// tlsConfig returns a configuration of our own, nil for an amqp URL.
func (u brokerURL) tlsConfig(given *tls.Config) (*tls.Config, error) {
	if !u.secure {
		return nil, nil
	}
	c := given.Clone()
	if c == nil {
		var err error
		if c, err = u.certificates.load(); err != nil {
			return nil, err
		}
	}
	c.MinVersion = cmp.Or(c.MinVersion, tls.VersionTLS12)
	return c, nil
}

func (f certificates) load() (*tls.Config, error) {
	c := &tls.Config{ServerName: f.serverName}
	if f.ca != "" {
		pem, err := os.ReadFile(f.ca)
		if err != nil {
			return nil, fmt.Errorf("cacertfile of the broker's URL: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cacertfile of the broker's URL: no certificate in %s", f.ca)
		}
	}
	if f.own != "" || f.key != "" {
		pair, err := tls.LoadX509KeyPair(f.own, f.key)
		if err != nil {
			return nil, fmt.Errorf("certfile and keyfile of the broker's URL: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// endpoint is one address of the broker, as a dial sees it.
type endpoint struct {
	address  string // as Address returns it
	hostPort string // what is dialed: an IP address where the name could be resolved
	name     string // the host's name, for TLS
	spare    bool   // an address of the name's other family (IPv4 or IPv6): tried last, not listed
}

// resolvePatience is how long a dial waits for names. One that is not resolved by then is resolved
// while it is dialed, beside the others.
const resolvePatience = time.Second

// lookup is net.Resolver's LookupNetIP.
type lookup func(ctx context.Context, network, host string) ([]netip.Addr, error)

// endpoints resolves the hosts, side by side, and returns what their names stand for now, each
// address once.
func (l lookup) endpoints(ctx context.Context, hosts []host) []endpoint {
	ctx, cancel := context.WithTimeout(ctx, resolvePatience)
	defer cancel()
	found := make([][]endpoint, len(hosts))
	var work sync.WaitGroup
	for i, h := range hosts {
		work.Go(func() { found[i] = l.resolve(ctx, h) })
	}
	work.Wait()
	var all []endpoint
	for _, e := range slices.Concat(found...) {
		if !slices.ContainsFunc(all, func(other endpoint) bool { return other.hostPort == e.hostPort }) {
			all = append(all, e)
		}
	}
	return all
}

// resolve returns the addresses of one host. The family of the first one counts: a machine with an
// IPv4 and an IPv6 address is one node.
func (l lookup) resolve(ctx context.Context, h host) []endpoint {
	itself := endpoint{address: h.String(), hostPort: h.String(), name: h.name}
	if _, err := netip.ParseAddr(h.name); err == nil {
		return []endpoint{itself}
	}
	ips, err := l(ctx, "ip", h.name)
	if err != nil || len(ips) == 0 {
		return []endpoint{itself}
	}
	var list []endpoint
	for _, ip := range ips {
		hostPort := net.JoinHostPort(ip.Unmap().String(), h.port)
		spare := ip.Unmap().Is4() != ips[0].Unmap().Is4()
		list = append(list, endpoint{address: hostPort, hostPort: hostPort, name: h.name, spare: spare})
	}
	if slices.IndexFunc(list[1:], func(e endpoint) bool { return !e.spare }) < 0 {
		for i := range list {
			list[i].address = h.String() // the name stands for one node
		}
	}
	return list
}
