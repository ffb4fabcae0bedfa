package amqp

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxNameBytes is AMQP's limit of a short string (0-9-1, section 4.2.5.3):
// exchange names and routing keys. A longer one ends the whole link.
const MaxNameBytes = 255

// Binding asks for the messages of one exchange whose routing key matches a
// pattern. On a topic exchange the pattern's words are separated by dots; `*`
// stands for exactly one word, `#` for any number, none included.
type Binding struct {
	Exchange string `json:"exchange"`
	Pattern  string `json:"routingKeyPattern"`
}

// String shows the binding for logs, quoted.
func (b Binding) String() string { return fmt.Sprintf("%q %q", b.Exchange, b.Pattern) }

// Validate tells whether the binding may be sent to a broker, and if not which
// field is wrong and how. It never fails for a reason that depends on a broker.
func (b Binding) Validate() error {
	if b.Exchange == "" {
		return fmt.Errorf("exchange is empty")
	}
	if err := validName(b.Exchange); err != nil {
		return fmt.Errorf("exchange %w", err)
	}
	if err := validName(b.Pattern); err != nil {
		return fmt.Errorf("routingKeyPattern %w", err)
	}
	return nil
}

func validName(s string) error {
	if err := validShortString(s); err != nil {
		return err
	}
	if strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return fmt.Errorf("holds a control character")
	}
	return nil
}

// validShortString is what AMQP itself asks of a name or key: anything else
// ends the whole link, so both brokers refuse it before it gets that far.
func validShortString(s string) error {
	switch {
	case len(s) > MaxNameBytes:
		return fmt.Errorf("is %d bytes long, at most %d are allowed", len(s), MaxNameBytes)
	case !utf8.ValidString(s):
		return fmt.Errorf("is not UTF-8")
	}
	return nil
}

// Distinct gives the bindings without repetitions, in order of first
// appearance. The argument is left as it is.
func Distinct(bindings []Binding) []Binding {
	seen := make(map[Binding]bool, len(bindings))
	out := make([]Binding, 0, len(bindings))
	for _, b := range bindings {
		if !seen[b] {
			seen[b] = true
			out = append(out, b)
		}
	}
	return out
}
