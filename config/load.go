package config

import (
	"fmt"

	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
)

// layer is what one source says: text by key.
type layer struct {
	values *koanf.Koanf
	source func(Setting) string // names the source in problems and in Source
}

// Load gives the effective settings of a command line (without the program's
// and the command's name). getenv gives "" for a variable that is not set: an
// empty variable counts as none. readFile is os.ReadFile or stands in for it.
//
// The error is Problems, with everything that is wrong at once; a *UsageError
// for flags that do not exist; or ErrHelp.
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

// merge puts the layers over the defaults, later ones over earlier ones. Values
// are checked where they stand, overridden ones too: what is wrong in a file
// is not discovered on the day its override goes.
func (c *Config) merge(layers []layer, problems *Problems) {
	c.sources = map[string]string{}
	merged := koanf.New(".")
	for _, l := range layers {
		for _, s := range Settings {
			if l.values.Exists(s.Key) && valid(s, l, problems) {
				c.sources[s.Key] = l.source(s)
				merged.Set(s.Key, l.values.String(s.Key))
			}
		}
	}
	for _, s := range Settings {
		if merged.Exists(s.Key) {
			s.in(c).Set(merged.String(s.Key)) // checked above
		}
	}
}

func valid(s Setting, l layer, problems *Problems) bool {
	text := l.values.String(s.Key)
	err := s.in(&Config{}).Set(text)
	switch {
	case err == nil:
		return true
	case s.Secret:
		problems.add(l.source(s), "the value is %v", err)
	default:
		problems.add(l.source(s), "%q is %v", text, err)
	}
	return false
}

// environment gives the variables of the table that are set, by key.
func environment(getenv func(string) string) layer {
	keys := map[string]string{}
	var set []string
	for _, s := range Settings {
		keys[s.Variable] = s.Key
		if text := getenv(s.Variable); text != "" {
			set = append(set, s.Variable+"="+text)
		}
	}
	values := koanf.New(".")
	values.Load(env.Provider(".", env.Opt{
		EnvironFunc:   func() []string { return set },
		TransformFunc: func(name, text string) (string, any) { return keys[name], text },
	}), nil) // fails for no input
	return layer{values, func(s Setting) string { return s.Variable }}
}

// fileLayer gives one section of a settings file.
func fileLayer(name, section string, entries map[string]entry) layer {
	flat := make(map[string]any, len(entries))
	for key, e := range entries {
		flat[key] = e.text
	}
	values := koanf.New(".")
	values.Load(confmap.Provider(flat, "."), nil) // fails for no input
	return layer{values, func(s Setting) string {
		e := entries[s.Key]
		return fmt.Sprintf("%s:%d: %s: %s", name, e.line, section, e.key)
	}}
}
