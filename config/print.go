package config

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Print writes the effective settings as a settings file with one section, and names the source of
// each. A secret is written as a reference to its variable; with those set, the file yields the
// same settings again.
//
//	production:
//	  pulse:
//	    password: !env PULSE_PASSWORD # hidden; user-config.yml:3: production: pulse.password
//	  server:
//	    port: 12345 # default
func (c Config) Print(w io.Writer) error {
	groups := mapping()
	for _, s := range Settings {
		if value := c.node(s); value != nil {
			group, name, _ := strings.Cut(s.Key, ".")
			put(child(groups, group), name, value)
		}
	}
	section := mapping()
	put(section, c.Profile, groups)
	encoder := yaml.NewEncoder(w)
	encoder.SetIndent(2)
	if err := encoder.Encode(section); err != nil {
		return fmt.Errorf("write the settings: %w", err)
	}
	return encoder.Close()
}

// node returns a setting's value; nil where nothing is set.
func (c Config) node(s Setting) *yaml.Node {
	value, source := s.in(&c), c.Source(s.Key)
	switch text := value.String(); {
	case text == "" && source == "default":
		return nil
	case s.Key == "pulse.url":
		return scalar("!env", s.Variable, c.Pulse.Broker()+"; hidden; "+source)
	case s.Secret:
		return scalar("!env", s.Variable, "hidden; "+source)
	case slices.Contains([]string{"number", "bool"}, value.Type()):
		return scalar("", text, source)
	default:
		return scalar("!!str", text, source) // quoted where it needs to be
	}
}

func scalar(tag, text, comment string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Tag: tag, Value: text, LineComment: comment}
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }

func put(m *yaml.Node, key string, value *yaml.Node) {
	m.Content = append(m.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, value)
}

// child returns the mapping under key; a new one where there is none.
func child(m *yaml.Node, key string) *yaml.Node {
	for i := 0; i < len(m.Content); i += 2 {
		if m.Content[i].Value == key {
			return m.Content[i+1]
		}
	}
	n := mapping()
	put(m, key, n)
	return n
}
