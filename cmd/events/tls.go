package main

import (
	"crypto/tls"

	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
)

// tlsConfig reads the certificate of the settings; nil where none is set.
func tlsConfig(s config.Server) (*tls.Config, error) {
	certificate, err := options.Certificate(s)
	if certificate == nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{*certificate}, MinVersion: tls.VersionTLS12}, nil
}
