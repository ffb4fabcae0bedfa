package config

import "fmt"

// layer holds the settings of one source: text by key.
type layer struct {
	values map[string]string
	source func(Setting) string // names the place of a setting, for problems and for Source
}

// Load returns the effective settings for a command line (without the names of the program and of
// the command). getenv returns "" for a variable that is not set; an empty variable counts as not
// set. readFile is os.ReadFile, or stands in for it.
//
// The error is [Problems], which names everything that is wrong; a [*UsageError] for a command line
// that cannot be parsed; or [ErrHelp].
func Load(args []string, getenv func(string) string, readFile func(string) ([]byte, error)) (Config, error) {
	line, err := parseCommandLine(args)
	if err != nil {
		return Config{}, err
	}
	var problems Problems
	c := Default()
	file := openFile(line, getenv, readFile, &problems)
	c.Profile, c.File = file.profile, file.readFrom
	layers := append(file.layers(), environment(getenv), line.layer())
	c.merge(layers, &problems)
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
// not, the place keeps its value.
func (c *Config) set(s Setting, text, source string, problems *Problems) bool {
	err := s.in(c).Set(text)
	switch {
	case err == nil:
		return true
	case s.Secret:
		problems.add(source, "the value is %v", err)
	default:
		problems.add(source, "%q is %v", text, err)
	}
	return false
}

// environment returns the variables that are set.
func environment(getenv func(string) string) layer {
	values := map[string]string{}
	for _, s := range Settings {
		if text := getenv(s.Variable); text != "" {
			values[s.Key] = text
		}
	}
	return layer{values, func(s Setting) string { return s.Variable }}
}

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
