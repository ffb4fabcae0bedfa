package config

import (
	"errors"
	"fmt"
	"strings"
)

// layer holds the settings of one source: text by key.
type layer struct {
	values map[string]string
	source func(Setting) string // names the place of a setting, for problems and for Source
}

// Load returns the effective settings for a command line (without the names of the program and of
// the command). environ has the form of os.Environ; an empty variable counts as not set. readFile
// is os.ReadFile, or stands in for it.
//
// The error is [Problems], which names everything that is wrong; a [*UsageError] for a command line
// that cannot be parsed; or [ErrHelp]. Beside Problems the Config holds what could be read: enough
// to report them in the format of the log.
func Load(args, environ []string, readFile func(string) ([]byte, error)) (Config, error) {
	line, err := parseCommandLine(args)
	if err != nil {
		return Config{}, err
	}
	var problems Problems
	c := Default()
	env := newEnvironment(environ, readFile)
	file := openFile(line, env.get, readFile, &problems)
	c.Profile, c.File = file.profile, file.readFrom
	layers := append(file.layers(), env.layer(&problems), line.layer())
	c.merge(layers, &problems)
	env.findUnknown(&problems)
	c.derive()
	c.check(&problems)
	return c, problems.err()
}

// merge applies the layers to the defaults, later ones over earlier ones. Every value is checked,
// overridden ones too: a mistake in a file is found before the day its override is removed.
func (c *Config) merge(layers []layer, problems *Problems) {
	c.sources = map[string]string{}
	for _, l := range layers {
		for _, s := range Settings {
			if text, set := l.values[s.Key]; set && c.set(s, text, l.source(s), problems) {
				c.sources[s.Key] = l.source(s)
			}
		}
	}
}

// set parses the text of a setting into its place and reports whether that worked; where it did
// not, the place keeps its value. A text that may hold a password in a wrong place is not repeated.
func (c *Config) set(s Setting, text, source string, problems *Problems) bool {
	err := s.in(c).Set(text)
	if err == nil {
		return true
	}
	if hush := discreet(""); s.Secret || mayHoldSecret(text) || errors.As(err, &hush) {
		problems.add(source, "the value %v", err)
	} else {
		problems.add(source, "%q %v", text, err)
	}
	return false
}

// mayHoldSecret reports whether a text could be a URL with credentials, whole or in part.
func mayHoldSecret(text string) bool { return strings.Contains(text, "@") }

// fileLayer returns one section of a settings file.
func fileLayer(name, section string, entries map[string]entry) layer {
	values := make(map[string]string, len(entries))
	for key, e := range entries {
		values[key] = e.text
	}
	return layer{values, func(s Setting) string {
		e := entries[s.Key]
		return fmt.Sprintf("%s:%d: %s: %s", name, e.line, section, e.key)
	}}
}
