package amqp

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

// RabbitMQOptions say how to dial; the zero value works.
type RabbitMQOptions struct {
	Name        string        // connection_name, shown in the broker's management; default "events"
	Heartbeat   time.Duration // whole seconds; default Heartbeat
	DialTimeout time.Duration // connect, TLS and handshake together; default DialTimeout

	// TLS is used for amqps URLs, and never edited. Default: the system's
	// certificates, or those that the URL's query names. TLS 1.2 is the least
	// unless it says otherwise.
	TLS *tls.Config
}

func (o RabbitMQOptions) withDefaults() RabbitMQOptions {
	o.Name = cmp.Or(o.Name, "events")
	o.Heartbeat = cmp.Or(o.Heartbeat, Heartbeat)
	o.DialTimeout = cmp.Or(o.DialTimeout, DialTimeout)
	return o
}

// address is an AMQP URL in parts.
type address struct {
	hostPort, host string
	secure         bool // amqps
	vhost          string
	channelMax     uint16 // the most channels of a link; 0: as many as the broker allows
	user, password string
	mechanisms     []string
	certificates   certificates
}

// certificates are the files that the query of an amqps URL names, as
// RabbitMQ's URI query parameters have them; each may be empty.
type certificates struct {
	ca, own, key string
	serverName   string
}

func (a address) authMechanisms() []string {
	if len(a.mechanisms) == 0 {
		return []string{"plain"}
	}
	return strings.Split(strings.ToLower(strings.Join(a.mechanisms, ",")), ",")
}

// tlsConfig gives a configuration of our own, nil for an amqp URL.
func (a address) tlsConfig(given *tls.Config) (*tls.Config, error) {
	if !a.secure {
		return nil, nil
	}
	c := given.Clone()
	if c == nil {
		var err error
		if c, err = a.certificates.load(); err != nil {
			return nil, err
		}
	}
	c.ServerName = cmp.Or(c.ServerName, a.host)
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

// connect opens the socket, with TLS if need be.
func (a address) connect(ctx context.Context, secure *tls.Config) (net.Conn, error) {
	socket, err := new(net.Dialer).DialContext(ctx, "tcp", a.hostPort)
	if err != nil || !a.secure {
		return socket, err
	}
	encrypted := tls.Client(socket, secure)
	if err := encrypted.HandshakeContext(ctx); err != nil {
		socket.Close()
		return nil, err
	}
	return encrypted, nil
}

var errNoAnswer = errors.New("the broker did not answer in time")

// dialError prefers the reason why we gave up to what that caused.
func dialError(ctx context.Context, err error) *Error {
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return linkLost("dial", "", err)
}
