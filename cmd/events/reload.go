package main

import (
	"cmp"
	"errors"
	"os"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/access"
)

// reloads is how a running proxy comes by other settings. The zero value never has any.
type reloads struct {
	wanted <-chan os.Signal              // SIGHUP
	load   func() (config.Config, error) // of the same command line, environment and file names
}

// reloader applies settings to a running proxy. One goroutine uses it.
type reloader struct {
	reloads
	current     config.Config // what is in effect
	log         *serviceLog
	system      *actors.System
	handler     *httpapi.Handler
	certificate *certificate // nil without TLS
	gate        *gate        // nil without access control
	systemd     systemd
	status      string // what systemd shows of a service that is well
}

// reload reads the settings again and applies what a running proxy can take; what it cannot is
// named. Where they are wrong, all of the old ones stay.
func (r *reloader) reload() {
	r.systemd.reloading()
	status := r.status
	if err := r.take(); err != nil {
		r.keep(err)
		status += "; the last reload failed: the old settings stay"
	}
	r.systemd.ready(status)
}

// take is reload but for its failures.
func (r *reloader) take() error {
	next, err := r.load()
	if err == nil {
		err = options.Validate(next)
	}
	if err != nil {
		return err
	}
	var taken, left []config.Setting
	for _, s := range r.current.Changed(next) {
		if r.canTake(s, next) {
			taken = append(taken, s)
		} else {
			left = append(left, s)
		}
	}
	if err := r.apply(r.current.With(next, taken)); err != nil {
		return err
	}
	r.log.Info("the settings were reloaded", "changed", cmp.Or(keys(taken), "none"))
	if len(left) > 0 {
		r.log.Warn("changed settings need a restart", "settings", keys(left))
	}
	return nil
}

// canTake reports whether a running proxy can take another value of a setting. A listener cannot
// begin or cease to speak TLS, or to ask for tokens: a file that lost its section would open the
// service, or, without the list of origins, its cookie to all pages.
func (r *reloader) canTake(s config.Setting, next config.Config) bool {
	switch {
	case strings.HasPrefix(s.Key, "server.tls"):
		return (r.certificate != nil) == (next.Server.TLSCertificate != "")
	case strings.HasPrefix(s.Key, "auth."), s.Key == "server.origins":
		return (r.gate != nil) == next.Auth.On()
	}
	return s.Live
}

// apply puts settings into effect. The files come first: they alone can fail still.
func (r *reloader) apply(c config.Config) error {
	guard, err := r.guard(c)
	if err != nil {
		return err
	}
	if r.certificate != nil {
		if err := r.certificate.use(c.Server); err != nil {
			return err
		}
	}
	if err := errors.Join(r.system.SetPolicy(options.SystemPolicy(c)), r.handler.SetPolicy(options.HandlerPolicy(c))); err != nil {
		return err
	}
	if guard != nil {
		r.gate.guard.Store(guard)
	}
	r.log.level.Set(c.Server.Level())
	r.current = c
	return nil
}

// guard returns what is to ask for tokens; nil without access control.
func (r *reloader) guard(c config.Config) (*access.Guard, error) {
	if r.gate == nil {
		return nil, nil
	}
	return r.gate.guardOf(c)
}

// keep reports why the old settings stay, one line for each problem.
func (r *reloader) keep(err error) {
	problems := config.Problems{{Why: err.Error()}}
	if all := (config.Problems)(nil); errors.As(err, &all) {
		problems = all
	}
	for _, problem := range problems {
		r.log.Error("the settings are wrong: the old ones stay", "error", strings.TrimPrefix(problem.String(), ": "))
	}
}

func keys(settings []config.Setting) string {
	var keys []string
	for _, s := range settings {
		keys = append(keys, s.Key)
	}
	return strings.Join(keys, ", ")
}
