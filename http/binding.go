package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The fields of an element of `bindings`. Others, such as the
// routingKeyReference that Taskcluster's clients add, are ignored.
const (
	fieldExchange = "exchange"
	fieldPattern  = "routingKeyPattern"
)

// parseBinding understands one element, which is valid JSON.
func parseBinding(element json.RawMessage) (amqp.Binding, error) {
	var binding amqp.Binding
	var hasExchange, hasPattern bool
	_, err := eachField(element, func(key string, value json.RawMessage) error {
		switch key {
		case fieldExchange:
			return parseField(key, value, &binding.Exchange, &hasExchange)
		case fieldPattern:
			return parseField(key, value, &binding.Pattern, &hasPattern)
		}
		return nil
	})
	switch {
	case err != nil:
		return amqp.Binding{}, err
	case !hasExchange || !hasPattern:
		return amqp.Binding{}, complain(saysBothField)
	}
	return binding, binding.Validate()
}

func parseField(key string, value json.RawMessage, text *string, has *bool) (err error) {
	if *has {
		return fmt.Errorf("%s is there twice", key)
	}
	*has = true
	if *text, err = parseString(value); err != nil {
		return fmt.Errorf("%s %w", key, err)
	}
	return nil
}

// parseString gives a JSON string's text. Bytes and escapes that are not
// UTF-8 are told: encoding/json would put U+FFFD in their place, and the
// client would wait for messages of an exchange it never named.
func parseString(value json.RawMessage) (string, error) {
	if value[0] != '"' {
		return "", errors.New("is not a string")
	}
	if !utf8.Valid(value) || hasLoneSurrogate(value) {
		return "", errors.New("is not UTF-8")
	}
	if bytes.IndexByte(value, '\\') < 0 {
		return string(value[1 : len(value)-1]), nil
	}
	var text string
	err := json.Unmarshal(value, &text)
	return text, err
}

// hasLoneSurrogate tells whether a JSON string, quotes included, holds half of
// a surrogate pair: "\ud800" is valid JSON and no text.
func hasLoneSurrogate(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		i++ // the escape's letter; a string never ends with a backslash
		if text[i] != 'u' {
			continue
		}
		unit := hex4(text[i+1:])
		i += 4
		switch {
		case 0xDC00 <= unit && unit <= 0xDFFF:
			return true
		case 0xD800 <= unit && unit <= 0xDBFF:
			if text[i+1] != '\\' || text[i+2] != 'u' {
				return true
			}
			if low := hex4(text[i+3:]); low < 0xDC00 || low > 0xDFFF {
				return true
			}
			i += 6
		}
	}
	return false
}

// hex4 gives the value of the four hexadecimal digits that text starts with;
// the JSON around them has been found valid.
func hex4(text []byte) uint64 {
	n, _ := strconv.ParseUint(string(text[:4]), 16, 32)
	return n
}
