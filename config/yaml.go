package config

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// mapping calls each for every key of a mapping, in order; null is an empty one. What is not a
// mapping, and keys that come twice, are problems. A merge key (<<: *base) brings the keys of other
// mappings that the mapping has not itself.
func (f *settingsFile) mapping(n *yaml.Node, where string, each func(key string, n *yaml.Node)) {
	if n = resolve(n); isNull(n) {
		return
	}
	if n.Kind != yaml.MappingNode {
		f.bad(n, where, "must be a mapping, with keys")
		return
	}
	seen := map[string]bool{}
	var merged []*yaml.Node
	for key, value := range pairs(n) {
		if isMerge(key) {
			merged = append(merged, f.merged(value, where)...)
			continue
		}
		switch {
		case key.Kind != yaml.ScalarNode:
			f.bad(key, where, "a key is not a word")
			continue
		case seen[key.Value]:
			f.bad(key, where, "key %q is there a second time", key.Value)
			continue
		}
		seen[key.Value] = true
		each(key.Value, value)
	}
	for _, source := range merged {
		for key, value := range pairs(source) {
			if key.Kind == yaml.ScalarNode && !seen[key.Value] && !isMerge(key) {
				seen[key.Value] = true
				each(key.Value, value)
			}
		}
	}
}

// pairs iterates over the keys and values of a mapping, aliases followed.
func pairs(n *yaml.Node) iter.Seq2[*yaml.Node, *yaml.Node] {
	return func(yield func(key, value *yaml.Node) bool) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(resolve(n.Content[i]), resolve(n.Content[i+1])) {
				return
			}
		}
	}
}

func isMerge(key *yaml.Node) bool { return key.Kind == yaml.ScalarNode && key.ShortTag() == "!!merge" }

// merged returns the mappings that a merge key names, one or a list, and those that they merge
// themselves; earlier ones win.
func (f *settingsFile) merged(value *yaml.Node, where string) []*yaml.Node {
	var found []*yaml.Node
	visited := map[*yaml.Node]bool{} // an alias may lead to what contains it
	var add func(n *yaml.Node)
	add = func(n *yaml.Node) {
		n = resolve(n)
		if visited[n] {
			return
		}
		visited[n] = true
		switch {
		case n.Kind == yaml.SequenceNode:
			for _, item := range n.Content {
				add(item)
			}
		case n.Kind == yaml.MappingNode:
			found = append(found, n)
			for key, value := range pairs(n) {
				if isMerge(key) {
					add(value)
				}
			}
		default:
			f.bad(n, where, "<< must be a mapping, or a list of them")
		}
	}
	add(value)
	return found
}

func (f *settingsFile) bad(n *yaml.Node, where, format string, args ...any) {
	at := fmt.Sprintf("%s:%d", f.name, n.Line)
	if where != "" {
		at += ": " + where
	}
	f.problems.add(at, format, args...)
}

// resolve follows an alias (*name) to its anchor (&name).
func resolve(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" }

// scalarText returns a value as the text that was written, or why it has none; set is false for
// null and for !env of a variable that is not set. A list of texts becomes one text with commas.
func scalarText(n *yaml.Node, getenv func(string) string) (text string, set bool, why string) {
	n = resolve(n)
	switch {
	case isNull(n):
		return "", false, ""
	case n.Kind == yaml.SequenceNode:
		return listText(n, getenv)
	case n.Kind != yaml.ScalarNode:
		return "", false, "must be a value, not a mapping"
	case strings.HasPrefix(n.Tag, "!env"):
		return variableText(n, getenv)
	case !slices.Contains([]string{"!!str", "!!int", "!!float", "!!bool", "!!timestamp"}, n.ShortTag()):
		return "", false, "unknown tag (a text that starts with ! is written in quotes)"
	}
	return n.Value, true, ""
}

func listText(n *yaml.Node, getenv func(string) string) (string, bool, string) {
	items := make([]string, 0, len(n.Content))
	for _, item := range n.Content {
		item = resolve(item)
		text, set, why := "", false, "must be a list of values"
		if item.Kind == yaml.ScalarNode {
			text, set, why = scalarText(item, getenv)
		}
		if why == "" && strings.Contains(text, ",") {
			why = "an item of the list holds a comma"
		}
		if why != "" {
			return "", false, why
		}
		if set {
			items = append(items, text)
		}
	}
	return strings.Join(items, ","), true, ""
}

// variableText reads the tags of Taskcluster's settings files: !env NAME, and with the type that is
// expected (which the table knows better).
func variableText(n *yaml.Node, getenv func(string) string) (string, bool, string) {
	kind, _ := strings.CutSuffix(strings.TrimPrefix(n.Tag, "!env"), ":optional")
	text := getenv(n.Value)
	switch kind {
	case "", ":string", ":number", ":bool":
	case ":list": // separated by spaces there
		text = strings.Join(strings.Fields(text), ",")
	default:
		return "", false, "unknown tag: !env, or !env: with string, number, bool or list"
	}
	return text, text != "", ""
}
