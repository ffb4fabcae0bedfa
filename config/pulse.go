package config

import (
	"errors"
	"net"
	"net/url"
)

// ErrNoBroker is returned by BrokerURL if no setting locates the broker.
var ErrNoBroker = errors.New("no broker: set PULSE_URL, or PULSE_USERNAME, PULSE_PASSWORD and PULSE_HOSTNAME")

// defaultPort is where brokers of Pulse listen: TLS only.
const defaultPort = "5671"

// BrokerURL returns the broker as one AMQP URL.
func (p Pulse) BrokerURL() (Secret, error) {
	if p.URL.Reveal() != "" {
		return p.URL, nil
	}
	if p.Hostname == "" {
		return Secret{}, ErrNoBroker
	}
	host := p.Hostname
	if u, err := url.Parse("amqps://" + host); err == nil && u.Port() == "" {
		host = net.JoinHostPort(u.Hostname(), defaultPort)
	}
	u := url.URL{
		Scheme: "amqps", Host: host,
		User: url.UserPassword(p.Username, p.Password.Reveal()),
		Path: "/" + p.VHost, RawPath: "/" + url.PathEscape(p.VHost),
	}
	return NewSecret(u.String()), nil
}

// user returns the user name at the broker, wherever it stands.
func (p Pulse) user() string {
	if u, err := url.Parse(p.URL.Reveal()); err == nil && u.User != nil {
		return u.User.Username()
	}
	return p.Username
}

// Broker returns scheme, host and virtual host without any credentials: what logs may show. It is
// empty where no broker is set.
func (p Pulse) Broker() string {
	secret, err := p.BrokerURL()
	if err != nil {
		return ""
	}
	u, err := url.Parse(secret.Reveal())
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}
