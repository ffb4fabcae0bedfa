package options

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/config"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/access"
)

// Auth returns the options of the guard that asks clients for tokens, where c.Auth.On.
func Auth(c config.Config, log *slog.Logger) access.Options {
	return access.Options{
		KeysFile:   c.Auth.KeysFile,
		SecretFile: c.Auth.SecretFile,
		Issuer:     c.Auth.Issuer,
		Audience:   c.Auth.Audience,
		Cookie:     c.Auth.Cookie,
		QueryLife:  c.Auth.QueryLife,
		Spread:     c.Auth.Spread,
		Logger:     log,
	}
}

// admission returns what stands in for a guard: nil where none is asked for.
func admission(c config.Config) func(*http.Request, *actors.Request) (context.Context, error) {
	if !c.Auth.On() {
		return nil
	}
	return func(*http.Request, *actors.Request) (context.Context, error) {
		return nil, httpapi.Unauthorized("This service asks for tokens, and has not been told how to check them")
	}
}

// authFile returns the key of the setting to look at when the keys cannot be used.
func authFile(c config.Config) string {
	if c.Auth.KeysFile == "" {
		return "auth.secretFile"
	}
	return "auth.keysFile"
}
