package config

import (
	"cmp"
	"fmt"
	"slices"
)

// derive fills what follows from other settings where it was not set itself.
func (c *Config) derive() {
	c.Pulse.Namespace = cmp.Or(c.Pulse.Namespace, c.Pulse.user(), "guest")
	unset := func(key string) bool { return c.Source(key) == "default" }
	if s := &c.Server; s.RootURL == "" && s.Port != 0 && !s.ForceSSL {
		s.RootURL = fmt.Sprintf("%s://localhost:%d", s.Scheme(), s.Port)
	}
	if unset("server.logLevel") && c.Server.verbose() {
		c.Server.LogLevel, c.sources["server.logLevel"] = "debug", c.Source("server.debug")
	}
	d := &c.Drain
	if unset("drain.time") && !unset("drain.hardEnd") {
		d.Time = min(d.Time, d.HardEnd)
	}
	if unset("drain.hardEnd") {
		d.HardEnd = max(d.HardEnd, d.Time+d.Time/2)
	}
	if unset("drain.spread") {
		d.Spread = min(d.Spread, d.Time)
	}
}

// check finds values that are right each by itself and wrong together.
func (c *Config) check(problems *Problems) {
	if c.Drain.Spread > c.Drain.Time {
		problems.add(c.Where("drain.spread"), "%v is longer than drain.time, %v", c.Drain.Spread, c.Drain.Time)
	}
	if c.Drain.Time > c.Drain.HardEnd {
		problems.add(c.Where("drain.time"), "%v is longer than drain.hardEnd, %v", c.Drain.Time, c.Drain.HardEnd)
	}
	c.checkTogether(problems, "server.tlsCertificate", "server.tlsKey")
	c.checkAuth(problems)
	c.checkPulse(problems)
}

// checkTogether finds two settings of which one alone is set.
func (c *Config) checkTogether(problems *Problems, keys ...string) {
	var set []string
	var missing []Setting
	for _, s := range Settings {
		switch {
		case !slices.Contains(keys, s.Key):
		case s.plain(c) != "":
			set = append(set, c.Where(s.Key))
		default:
			missing = append(missing, s)
		}
	}
	if len(set) == 1 && len(missing) == 1 {
		m := missing[0]
		problems.add(set[0], "%s (--%s, %s) is missing: they are needed together", m.Variable, m.Flag, m.Key)
	}
}

// checkAuth finds what would leave the service open, or its cookie to the pages of all sites, against
// what the settings seem to say.
func (c *Config) checkAuth(problems *Problems) {
	for _, s := range Settings {
		switch s.Key {
		case "auth.issuer", "auth.audience", "auth.cookie":
			if s.plain(c) != "" && !c.Auth.On() {
				problems.add(c.Where(s.Key), "has no effect: no tokens are asked for, since auth.keysFile or auth.secretFile is missing")
			}
		}
	}
	open := func(origin string) bool { return origin == "*" || origin == "null" }
	if c.Auth.Cookie != "" && (len(c.Server.Origins) == 0 || slices.ContainsFunc(c.Server.Origins, open)) {
		problems.add(c.Where("auth.cookie"), "cannot be used: a list of origins (server.origins), without * and null, is missing, and browsers send cookies in the name of any page")
	}
}

// Scheme is what the listener speaks: https with a certificate, else http.
func (s Server) Scheme() string {
	if s.TLSCertificate != "" {
		return "https"
	}
	return "http"
}

// checkPulse finds the original's variables where some are set and some not.
func (c *Config) checkPulse(problems *Problems) {
	p := c.Pulse
	parts := map[string]string{"pulse.username": p.Username, "pulse.password": p.Password.Reveal(), "pulse.hostname": p.Hostname}
	if none := p.Username+p.Password.Reveal()+p.Hostname == ""; none || p.URL.Reveal() != "" {
		return
	}
	for _, s := range Settings {
		if text, part := parts[s.Key]; part && text == "" {
			problems.add(s.Variable, "is missing: without PULSE_URL, user name, password and hostname are all needed")
		}
	}
}

// Where returns the place to look for a wrong setting: its source, or its key where that is the
// default.
func (c Config) Where(key string) string {
	if source := c.Source(key); source != "default" {
		return source
	}
	return key
}
