package config

import (
	"errors"
	"net/url"
	"strings"
)

// ErrNoBroker is returned by BrokerURL if no setting locates the broker; its text names what to
// set.
var ErrNoBroker = errors.New("set PULSE_URL, or PULSE_USERNAME, PULSE_PASSWORD and PULSE_HOSTNAME")

// defaultPort is where brokers of Pulse listen: TLS only.
const defaultPort = "5671"

// BrokerURL returns the broker as one AMQP URL, whose host may be a list (a:5671,b:5671) and has
// brackets around an IPv6 address. The error is ErrNoBroker.
func (p Pulse) BrokerURL() (Secret, error) {
	b, err := p.broker()
	return NewSecret(b.String()), err
}

// Broker returns scheme, hosts and virtual host without any credentials: what logs may show. It is
// empty where no broker is set.
func (p Pulse) Broker() string {
	b, err := p.broker()
	if err != nil {
		return ""
	}
	return b.open()
}

// broker returns the URL of the settings, or the one that the original's four settings make.
func (p Pulse) broker() (brokerURL, error) {
	if p.URL.Reveal() != "" {
		return parseBrokerURL(p.URL.Reveal())
	}
	if p.Hostname == "" {
		return brokerURL{}, ErrNoBroker
	}
	b := brokerURL{
		scheme: "amqps", userinfo: url.UserPassword(p.Username, p.Password.Reveal()).String(),
		path: "/" + url.PathEscape(p.VHost),
	}
	for host := range strings.SplitSeq(p.Hostname, ",") {
		host, _ := brokerHost(host, defaultPort) // checked when it was set
		b.hosts = append(b.hosts, host)
	}
	return b, nil
}

// user returns the user name at the broker, wherever it is set; "" where it is not.
func (p Pulse) user() string {
	if p.URL.Reveal() == "" {
		return p.Username
	}
	b, _ := parseBrokerURL(p.URL.Reveal())
	return b.user()
}
