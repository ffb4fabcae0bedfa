package httpapi

import "encoding/json"

// eachField calls f for every field of an object, repeated ones too, in order,
// and stops at the first error. It says whether text is an object at all.
//
// The text is JSON that has been found valid, as a whole. That is why walking
// through it is this short; encoding/json cannot tell repeated fields, and
// costs a decoder for each element, which was a tenth of a connect.
func eachField(text json.RawMessage, f func(key string, value json.RawMessage) error) (isObject bool, err error) {
	w := walk{text}
	if !w.enter('{') {
		return false, nil
	}
	for !w.leave() {
		key, err := parseString(w.value())
		if err != nil {
			key = "" // a key that is no text is none that is looked for
		}
		w.space()
		w.rest = w.rest[1:] // the colon
		if err := f(key, w.value()); err != nil {
			return true, err
		}
	}
	return true, nil
}

// eachElement is eachField for the elements of an array.
func eachElement(text json.RawMessage, f func(index int, value json.RawMessage) error) (isArray bool, err error) {
	w := walk{text}
	if !w.enter('[') {
		return false, nil
	}
	for i := 0; !w.leave(); i++ {
		if err := f(i, w.value()); err != nil {
			return true, err
		}
	}
	return true, nil
}

// walk is a walk through valid JSON; rest is what lies ahead.
type walk struct{ rest []byte }

// enter steps into an object or array, if that is what comes next.
func (w *walk) enter(bracket byte) bool {
	w.space()
	if w.rest[0] != bracket {
		return false
	}
	w.rest = w.rest[1:]
	return true
}

// leave steps over a comma; or, at the closing bracket, says that this is the
// end.
func (w *walk) leave() bool {
	w.space()
	switch w.rest[0] {
	case '}', ']':
		return true
	case ',':
		w.rest = w.rest[1:]
	}
	return false
}

func (w *walk) space() {
	for len(w.rest) > 0 && (w.rest[0] == ' ' || w.rest[0] == '\t' || w.rest[0] == '\n' || w.rest[0] == '\r') {
		w.rest = w.rest[1:]
	}
}

// value steps over the next value and gives its text.
func (w *walk) value() json.RawMessage {
	w.space()
	n := 0
	switch w.rest[0] {
	case '"':
		n = stringEnd(w.rest)
	case '{', '[':
		n = nestedEnd(w.rest)
	default:
		n = wordEnd(w.rest)
	}
	value := w.rest[:n:n]
	w.rest = w.rest[n:]
	return value
}

// stringEnd gives the length of the string that text starts with.
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

// nestedEnd gives the length of the object or array that text starts with.
func nestedEnd(text []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch text[i] {
		case '"':
			i += stringEnd(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
}

// wordEnd gives the length of the number, true, false or null that text starts
// with.
func wordEnd(text []byte) int {
	for i, c := range text {
		switch c {
		case ',', '}', ']', ' ', '\t', '\n', '\r':
			return i
		}
	}
	return len(text)
}
