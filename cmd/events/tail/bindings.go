package tail

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// ParseBindings returns the distinct bindings of command line arguments, sorted
// by exchange and pattern. An argument is EXCHANGE, EXCHANGE:PATTERN, or the
// JSON object of a binding; without a pattern it is `#`, every routing key.
func ParseBindings(args []string) ([]amqp.Binding, error) {
	if len(args) == 0 {
		return nil, errors.New("a BINDING is missing, such as exchange/taskcluster-queue/v1/task-completed:primary.#")
	}
	var bindings []amqp.Binding
	for _, arg := range args {
		b, err := parseBinding(arg)
		if err == nil {
			err = b.Validate()
		}
		if err != nil {
			return nil, fmt.Errorf("binding %q: %w", arg, err)
		}
		bindings = append(bindings, b)
	}
	slices.SortFunc(bindings, func(a, b amqp.Binding) int {
		return cmp.Or(strings.Compare(a.Exchange, b.Exchange), strings.Compare(a.Pattern, b.Pattern))
	})
	return amqp.Distinct(bindings), nil
}

// parseBinding takes the first colon for the separator: a pattern may hold one,
// and an exchange whose name holds one is written as JSON.
func parseBinding(arg string) (amqp.Binding, error) {
	if strings.HasPrefix(arg, "{") {
		var b amqp.Binding
		d := json.NewDecoder(strings.NewReader(arg))
		d.DisallowUnknownFields()
		if err := d.Decode(&b); err != nil || d.More() {
			return b, errors.New(`not of the form {"exchange":"…","routingKeyPattern":"…"}`)
		}
		return b, nil
	}
	exchange, pattern, found := strings.Cut(arg, ":")
	if !found {
		pattern = "#"
	}
	return amqp.Binding{Exchange: exchange, Pattern: pattern}, nil
}

// canonical returns the one JSON text of a sorted set of bindings: equal sets
// have equal text, by which a load balancer may send them to one process.
func canonical(bindings []amqp.Binding) string {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	_ = e.Encode(map[string][]amqp.Binding{"bindings": bindings}) // cannot fail: strings alone
	return strings.TrimSpace(text.String())
}

// escape writes text for a URL's query as encodeURIComponent of browsers does.
func escape(text string) string {
	var b strings.Builder
	for i := range len(text) {
		if c := text[i]; c < 0x80 && (isAlphanumeric(c) || strings.IndexByte("-_.!~*'()", c) >= 0) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
