package options

import (
	"log/slog"

	"github.com/taskcluster/events-proxy/config"
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

// authFile returns the key of the setting to look at when the keys cannot be used.
func authFile(c config.Config) string {
	if c.Auth.KeysFile == "" {
		return "auth.secretFile"
	}
	return "auth.keysFile"
}
