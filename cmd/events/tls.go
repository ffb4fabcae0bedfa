package main

import (
	"crypto/tls"
	"fmt"

	"github.com/taskcluster/events-proxy/config"
)

// tlsConfig reads the certificate of the settings; nil where none is set.
func tlsConfig(s config.Server) (*tls.Config, error) {
	if s.TLSCertificate == "" {
		return nil, nil
	}
	pair, err := tls.LoadX509KeyPair(s.TLSCertificate, s.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("certificate %s with key %s: %w", s.TLSCertificate, s.TLSKey, err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
