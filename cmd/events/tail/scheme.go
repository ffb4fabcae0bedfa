package tail

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net/http"
	"strings"
)

// A URL with the wrong scheme is a slip of the hand, and no server says so in
// words that its user would look for.

// wantsTLS reports whether an answer to a request without TLS is how Go's,
// nginx's or Apache's server says that its port is one for TLS.
func wantsTLS(r *http.Response, body []byte) bool {
	if r.Request.URL.Scheme != "http" || r.StatusCode != http.StatusBadRequest {
		return false
	}
	for _, words := range []string{"HTTP request to an HTTPS server", "HTTP request was sent to HTTPS port", "speaking plain HTTP to an SSL-enabled server port"} {
		if bytes.Contains(body, []byte(words)) {
			return true
		}
	}
	return false
}

// wrongScheme returns the Loss of a request that found TLS where it spoke none,
// or the other way round, and nil for any other error.
func (p *Proxy) wrongScheme(err error) error {
	switch {
	case errors.Is(err, http.ErrSchemeMismatch):
		return &Loss{Code: badAnswer, Reason: "the server speaks HTTP without TLS: try http" + strings.TrimPrefix(p.root, "https")}
	case err != nil && strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`): // a TLS alert, as HAProxy sends it
		return p.needsTLS()
	}
	return nil
}

func (p *Proxy) needsTLS() error {
	return &Loss{Code: badAnswer, Reason: "the server speaks TLS: try https" + strings.TrimPrefix(p.root, "http")}
}

// wrongCertificate returns the Loss of a request whose server has a certificate that is not
// accepted, and nil for any other error. It is a refusal, unless the server had a right one before:
// then it is being renewed.
func (p *Proxy) wrongCertificate(err error) error {
	var failed *tls.CertificateVerificationError
	if !errors.As(err, &failed) {
		return nil
	}
	reason := "the certificate of " + p.root + " is not accepted: " + failed.Err.Error()
	var authority x509.UnknownAuthorityError
	if errors.As(failed.Err, &authority) {
		reason = "the certificate of " + p.root + " is of an authority that is not trusted here: SSL_CERT_FILE=ca.pem trusts one"
	}
	return &Loss{Code: untrusted, Reason: reason, Retryable: p.trusted}
}
