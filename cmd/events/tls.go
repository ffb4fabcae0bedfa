package main

import (
	"crypto/tls"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
)

// lookAgain is how often at most a handshake makes the certificate's files be looked at.
const lookAgain = time.Second

// certificate is what the listener shows of itself. It is read again when its files have changed,
// as tools that renew certificates change them, without a signal. Where they cannot be used, the
// old one stays: the key may come a moment after the certificate.
type certificate struct {
	log *slog.Logger

	mu     sync.Mutex
	files  config.Server
	pair   *tls.Certificate
	state  [2]fileState // of the files when they were read last
	looked time.Time
}

// fileState changes with a file's content.
type fileState struct {
	modified time.Time
	size     int64
}

// newCertificate reads the certificate of the settings; nil where none is set.
func newCertificate(s config.Server, log *slog.Logger) (*certificate, error) {
	if s.TLSCertificate == "" {
		return nil, nil
	}
	c := &certificate{log: log, files: s}
	return c, c.read()
}

// config returns the listener's configuration; nil without a certificate.
func (c *certificate) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{GetCertificate: c.get, MinVersion: tls.VersionTLS12}
}

// get returns the certificate for a handshake.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now := time.Now(); now.Sub(c.looked) >= lookAgain {
		if c.looked = now; c.filesState() != c.state {
			if err := c.read(); err != nil {
				c.log.Warn("the certificate's files have changed and cannot be used: the old one stays", "error", err)
			}
		}
	}
	return c.pair, nil
}

// use reads a certificate from other files, or from the same ones anew. Where they cannot be used
// the old one stays.
func (c *certificate) use(s config.Server) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.files
	c.files = s
	err := c.read()
	if err != nil {
		c.files = before
	}
	return err
}

// read must be called under the lock. It logs that another certificate takes the place of one.
func (c *certificate) read() error {
	c.state, c.looked = c.filesState(), time.Now()
	pair, err := options.Certificate(c.files)
	if err != nil {
		return err
	}
	if c.pair != nil && !c.pair.Leaf.Equal(pair.Leaf) {
		c.log.Info("the certificate has changed", "file", c.files.TLSCertificate, "expires", pair.Leaf.NotAfter)
	}
	c.pair = pair
	return nil
}

func (c *certificate) filesState() (state [2]fileState) {
	for i, name := range []string{c.files.TLSCertificate, c.files.TLSKey} {
		if info, err := os.Stat(name); err == nil {
			state[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return state
}
