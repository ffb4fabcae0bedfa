package config

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Example is a settings file that shows what there is, with comments.
//
//go:embed user-config-example.yml
var Example string

// WriteMarkdown writes the table of settings for people, and returns the error of w; "reload" marks
// those that a running proxy takes anew on SIGHUP.
func WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	b.WriteString("| variable | flag | key in a profile of the file | value | default | reload | meaning |\n|---|---|---|---|---|---|---|\n")
	for _, s := range Settings {
		live := ""
		if s.Live {
			live = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | `--%s` | `%s` | %s | %s | %s | %s |\n", strings.ReplaceAll(s.variables(), ", ", "`, `"),
			s.Flag, strings.Join(append([]string{s.Key}, s.Aliases...), "`, `"), s.Kind(), code(s.Default()), live, s.Help)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}

// WriteJSON writes the table of settings for machines, and returns the error of w.
func WriteJSON(w io.Writer) error {
	type line struct {
		Key      string   `json:"key"`
		Aliases  []string `json:"aliases,omitempty"`
		Flag     string   `json:"flag"`
		Variable string   `json:"variable"`
		Kind     string   `json:"kind"`
		Default  string   `json:"default"`
		Secret   bool     `json:"secret"`
		Live     bool     `json:"live"`
		Help     string   `json:"help"`
	}
	lines := make([]line, len(Settings))
	for i, s := range Settings {
		lines[i] = line{s.Key, s.Aliases, "--" + s.Flag, s.Variable, s.Kind(), s.Default(), s.Secret, s.Live, s.Help}
	}
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(lines)
}
