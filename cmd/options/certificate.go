package options

import (
	"crypto/tls"
	"fmt"

	"github.com/taskcluster/events-proxy/config"
)

// Certificate reads the certificate and the key of the settings; nil where none is set. The error
// names both files.
func Certificate(s config.Server) (*tls.Certificate, error) {
	if s.TLSCertificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCertificate, s.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", s.TLSCertificate, s.TLSKey, err)
	}
	return &pair, nil
}
