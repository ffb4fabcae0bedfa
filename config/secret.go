package config

import (
	"fmt"
	"log/slog"
)

// hidden is what a secret looks like from outside.
const hidden = "(hidden)"

// Secret is text that no log, error, JSON or %v shows; Reveal alone does.
type Secret struct{ text string }

// NewSecret returns a Secret that hides text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal returns the text, for the one place that needs it.
func (s Secret) Reveal() string { return s.text }

// String returns "" for the empty secret and "(hidden)" for any other.
func (s Secret) String() string {
	if s.text == "" {
		return ""
	}
	return hidden
}

// Format hides the text from every verb of package fmt, wrong ones included.
func (s Secret) Format(f fmt.State, _ rune) { fmt.Fprint(f, s.String()) }

// MarshalText hides the text from JSON, XML and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the text from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
