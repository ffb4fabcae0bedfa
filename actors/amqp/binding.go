package amqp

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxNameBytes is AMQP's limit of a short string (0-9-1, section 4.2.5.3): exchange names and
// routing keys. A longer one ends the whole link.
const MaxNameBytes = 255

// MaxHashes is how many words # a normal pattern may have. A broker's topic matching tries every
// length of each of them: with twelve, RabbitMQ 3.10 takes seconds to route one message, for every
// publisher of the exchange. Newer versions allow two themselves.
const MaxHashes = 2

// Binding asks for the messages of one exchange whose routing key matches a pattern. On a topic
// exchange the pattern's words are separated by dots; `*` stands for exactly one word, `#` for any
// number, none included.
type Binding struct {
	Exchange string `json:"exchange"`
	Pattern  string `json:"routingKeyPattern"`
}

// String returns the binding for logs, quoted.
func (b Binding) String() string { return fmt.Sprintf("%q %q", b.Exchange, b.Pattern) }

// Validate returns nil if the binding may be sent to a broker, otherwise an error that names the
// wrong field and what is wrong with it: a name that AMQP cannot carry would end the link, a
// pattern with too many words # would cost everybody who publishes to the exchange. The result
// never depends on a broker.
func (b Binding) Validate() error {
	if b.Exchange == "" {
		return errors.New("exchange is empty")
	}
	if err := validName(b.Exchange); err != nil {
		return fmt.Errorf("exchange %w", err)
	}
	if err := validName(b.Pattern); err != nil {
		return fmt.Errorf("routingKeyPattern %w", err)
	}
	if n := b.hashes(); n > MaxHashes {
		return fmt.Errorf("routingKeyPattern has %d words #, at most %d are allowed", n, MaxHashes)
	}
	return nil
}

// Normal returns the binding as it is to be sent to a broker: with the shortest pattern that
// matches the same routing keys. In each run of wildcards the words * come first and one # follows,
// so that two bindings that ask for the same in this respect are equal:
//
//	#.#      → #
//	#.*      → *.#
//	a.#.*.#  → a.*.#
//
// On a direct exchange a pattern is a routing key and these would differ; no key is made of
// wildcards.
func (b Binding) Normal() Binding {
	if !strings.Contains(b.Pattern, "#") {
		return b
	}
	var normal []string
	hash := false // of the run of wildcards before the next word, which is to follow its *
	for word := range topicWords(b.Pattern) {
		switch {
		case word == "#":
			hash = true
			continue
		case word != "*" && hash:
			normal, hash = append(normal, "#"), false
		}
		normal = append(normal, word)
	}
	if hash {
		normal = append(normal, "#")
	}
	b.Pattern = strings.Join(normal, ".")
	return b
}

// hashes returns the number of words # in the normal pattern.
func (b Binding) hashes() (n int) {
	for word := range topicWords(b.Normal().Pattern) {
		if word == "#" {
			n++
		}
	}
	return n
}

// Matches reports whether a topic exchange routes a message with this routing key by the binding.
// The time that it takes grows with the words of the key times those of the pattern, whatever they
// are.
func (b Binding) Matches(routingKey string) bool {
	pattern := slices.Collect(topicWords(b.Pattern))
	// reached[i]: the words of the key so far match the first i words of the pattern.
	reached := make([]bool, len(pattern)+1)
	reached[0] = true
	skipHashes(pattern, reached)
	for word := range topicWords(routingKey) {
		for i := len(pattern); i > 0; i-- {
			switch pattern[i-1] {
			case "#": // takes this word too: it stays reached
			case "*", word:
				reached[i] = reached[i-1]
			default:
				reached[i] = false
			}
		}
		reached[0] = false
		skipHashes(pattern, reached)
	}
	return reached[len(pattern)]
}

// skipHashes reaches what is behind a # that takes no word.
func skipHashes(pattern []string, reached []bool) {
	for i, word := range pattern {
		if word == "#" && reached[i] {
			reached[i+1] = true
		}
	}
}

func validName(s string) error {
	if err := validShortString(s); err != nil {
		return err
	}
	if strings.IndexFunc(s, unicode.IsControl) >= 0 {
		return errors.New("holds a control character")
	}
	return nil
}

// validShortString is what AMQP itself asks of a name or key: anything else ends the whole link, so
// both brokers refuse it before it gets that far.
func validShortString(s string) error {
	switch {
	case len(s) > MaxNameBytes:
		return fmt.Errorf("is %d bytes long, at most %d are allowed", len(s), MaxNameBytes)
	case !utf8.ValidString(s):
		return errors.New("is not UTF-8")
	}
	return nil
}

// Distinct returns the bindings without repetitions, in order of first appearance. Bindings whose
// normal forms are equal count as one; the first of them is returned as it was asked for. The
// argument is not changed.
func Distinct(bindings []Binding) []Binding {
	seen := make(map[Binding]bool, len(bindings))
	out := make([]Binding, 0, len(bindings))
	for _, b := range bindings {
		if normal := b.Normal(); !seen[normal] {
			seen[normal] = true
			out = append(out, b)
		}
	}
	return out
}
