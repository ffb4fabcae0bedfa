package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"time"
)

// noName explains why a name has no address.
func noName(name string, err error) Finding {
	var dns *net.DNSError
	if errors.As(err, &dns) && dns.IsNotFound {
		return fail("correct the host name, or add it to DNS", "%s: there is no such name", name)
	}
	return fail("look at the resolver of this machine (/etc/resolv.conf)", "%s cannot be looked up: %s", name, plain(err))
}

// noTCP explains why a connection was not made.
func noTCP(address string, err error) Finding {
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail("correct the port, or start what should listen there", "%s refuses connections: nothing listens on that port", address)
	case isTimeout(err):
		return fail("look for a firewall between here and there, or a wrong address", "%s does not answer: connecting took too long", address)
	}
	return fail("look at the route to that address", "%s cannot be reached: %s", address, plain(err))
}

// badTLS explains why a TLS handshake failed.
func badTLS(address string, err error) Finding {
	var (
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		authority x509.UnknownAuthorityError
		record    tls.RecordHeaderError
	)
	switch {
	case errors.As(err, &name):
		return fail("use a name that the certificate has, or a certificate that has the name", "%s shows a certificate for another name: it is for %s, not %s", address, namesOf(name.Certificate), name.Host)
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return fail("renew the certificate, or set this machine's clock", "%s shows a certificate that is not valid now: valid from %s to %s", address, date(invalid.Cert.NotBefore), date(invalid.Cert.NotAfter))
	case errors.As(err, &authority):
		return fail("trust the authority (cacertfile=FILE in PULSE_URL for the broker, SSL_CERT_FILE for all), or have the intermediate certificates sent too", "%s shows a certificate of an authority that is not trusted here", address)
	case errors.As(err, &record):
		return fail("use the scheme without TLS (amqp://, http://), or the port with it", "%s does not speak TLS", address)
	case isTimeout(err):
		return fail("is it the right port? is what listens there alive?", "%s accepts connections and does not answer the TLS handshake", address)
	}
	return fail("look at the versions of TLS and the certificates of both sides", "%s: the TLS handshake failed: %s", address, plain(err))
}

// valid returns until when a certificate is valid.
func valid(c *x509.Certificate, now time.Time) string {
	days := int(c.NotAfter.Sub(now).Hours() / 24)
	if days < 14 {
		return fmt.Sprintf("it expires in %d days, on %s: renew it", days, date(c.NotAfter))
	}
	return fmt.Sprintf("valid until %s", date(c.NotAfter))
}

func namesOf(c *x509.Certificate) string {
	list := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		list = append(list, ip.String())
	}
	if len(list) == 0 {
		return "no name at all"
	}
	return strings.Join(list, ", ")
}

func date(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func isTimeout(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout()
}

// plain returns an error's text on one line, without the address that stands beside it.
func plain(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Err != nil {
		err = op.Err
	}
	return strings.Join(strings.Fields(err.Error()), " ")
}
