package bindings

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"unicode/utf8"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// binding reads one element, which is valid JSON. Fields other than the two,
// such as the routingKeyReference that Taskcluster's clients add, are ignored.
func binding(element []byte) (b amqp.Binding, err error) {
	var has struct{ exchange, pattern bool }
	for key, value := range fields(element) {
		switch key {
		case "exchange":
			err = field(value, &b.Exchange, &has.exchange)
		case "routingKeyPattern":
			err = field(value, &b.Pattern, &has.pattern)
		}
		if err != nil {
			return b, fmt.Errorf("%s %w", key, err)
		}
	}
	if !has.exchange || !has.pattern {
		return b, complain(textBothFields)
	}
	return b, b.Validate()
}

// field reads a field's text, which may be there once.
func field(value []byte, s *string, has *bool) (err error) {
	if *has {
		return errors.New("is there twice")
	}
	*has = true
	*s, err = text(value)
	return err
}

// fields yields every key of a JSON object with its value, repeated keys too,
// which encoding/json cannot report. A key that is no text is yielded empty.
func fields(object []byte) iter.Seq2[string, []byte] {
	return func(yield func(string, []byte) bool) {
		key, isKey := "", true
		for part := range parts(object, '{') {
			if isKey {
				key, _ = text(part)
			} else if !yield(key, part) {
				return
			}
			isKey = !isKey
		}
	}
}

// parts yields what stands between the separators of a JSON value that starts
// with a bracket: an array's elements, or an object's keys and values in turn;
// nothing of a value that starts otherwise.
//
// The value has been found valid and has no space around it. That is why this
// is short; a json.Decoder would make a connect a tenth dearer.
func parts(value []byte, bracket byte) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		depth, start := 0, 1
		for i := 0; i < len(value) && value[0] == bracket; i++ {
			switch value[i] {
			case '"':
				i += stringEnd(value[i:]) - 1
			case '{', '[':
				depth++
			case '}', ']':
				depth--
			}
			if end := value[i]; depth == 0 || depth == 1 && (end == ',' || end == ':') {
				part := bytes.TrimSpace(value[start:i])
				if len(part) > 0 && !yield(part) { // an empty one: of [] or {}
					return
				}
				start = i + 1
			}
		}
	}
}

// stringEnd returns the length of the JSON string that text starts with.
func stringEnd(text []byte) int {
	for i := 1; ; i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
}

// text returns the text of a JSON string. Bytes and escapes that are not UTF-8
// are an error: encoding/json would put U+FFFD in their place, and the client
// would wait for messages of an exchange that it never named.
func text(value []byte) (s string, err error) {
	switch {
	case value[0] != '"':
		return "", errors.New("is not a string")
	case !utf8.Valid(value):
		return "", errors.New("is not UTF-8")
	case bytes.IndexByte(value, '\\') < 0:
		return string(value[1 : len(value)-1]), nil
	case !paired.Match(value):
		return "", errors.New("is not UTF-8")
	}
	err = json.Unmarshal(value, &s)
	return s, err
}

// paired matches a valid JSON string whose escaped surrogates stand in pairs:
// a half of one, "\ud800", is valid JSON and no text.
var paired = regexp.MustCompile(`^"(?:[^\\]|\\[^u]|\\u(?:[^dD].|[dD][0-7])..|\\u[dD][89abAB]..\\u[dD][c-fC-F]..)*"$`)
