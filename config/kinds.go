package config

import (
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// kind is how a setting's text is read and shown. Errors are predicates that name what is expected;
// the reporter puts the text before them, unless it is secret.
type kind[T any] struct {
	name   string // what stands for the value in help: --port number
	parse  func(string) (T, error)
	format func(T) string
}

// field is one setting's place in a Config, as text. It is a pflag.Value.
type field[T any] struct {
	place *T
	kind  kind[T]
}

func (f field[T]) Set(text string) (err error) {
	v, err := f.kind.parse(text)
	if err == nil {
		*f.place = v
	}
	return err
}

func (f field[T]) String() string { return f.kind.format(*f.place) }
func (f field[T]) Type() string   { return f.kind.name }

func identity(s string) string { return s }

var text = kind[string]{
	name:   "text",
	parse:  func(s string) (string, error) { return s, nil },
	format: identity,
}

var file = kind[string]{
	name:   "file",
	parse:  text.parse,
	format: identity,
}

var secret = kind[Secret]{
	name:   "secret",
	parse:  func(s string) (Secret, error) { return Secret{s}, printable(s) },
	format: Secret.String,
}

// discreet is a problem of a value that is no secret and may hold one by mistake: it is not shown.
type discreet string

func (d discreet) Error() string { return string(d) }

// printable finds what a copied secret may have got on its way.
func printable(s string) error {
	switch i := strings.IndexFunc(s, unicode.IsControl); {
	case strings.HasSuffix(s, "\n"):
		return errors.New("ends in a line break")
	case i >= 0:
		return errors.New("holds a control character")
	}
	return nil
}

// yes and no are what people write for a truth value, in any case.
var (
	yes = []string{"true", "yes", "on", "1"}
	no  = []string{"false", "no", "off", "0"}
)

var truth = kind[bool]{
	name: "bool",
	parse: func(s string) (bool, error) {
		lower := strings.ToLower(s)
		if slices.Contains(yes, lower) || slices.Contains(no, lower) {
			return slices.Contains(yes, lower), nil
		}
		return false, errors.New("is neither true nor false")
	},
	format: strconv.FormatBool,
}

// list is written with commas; a settings file may hold a YAML list.
var list = kind[[]string]{
	name: "list",
	parse: func(s string) ([]string, error) {
		var items []string
		for item := range strings.SplitSeq(s, ",") {
			if item = strings.TrimSpace(item); item != "" {
				items = append(items, item)
			}
		}
		return items, nil
	},
	format: func(items []string) string { return strings.Join(items, ",") },
}

// patterns is a list of path.Match patterns.
var patterns = kind[[]string]{
	name: "list",
	parse: func(s string) ([]string, error) {
		items, _ := list.parse(s)
		for _, item := range items {
			if _, err := path.Match(item, ""); err != nil {
				return nil, errors.New("is a list with a broken pattern")
			}
		}
		return items, nil
	},
	format: list.format,
}

// whole is a number from low to high, both included.
func whole(low, high int) kind[int] {
	return kind[int]{
		name: "number",
		parse: func(s string) (int, error) {
			n, err := strconv.Atoi(s)
			if err != nil || n < low || n > high {
				return 0, fmt.Errorf("is not a whole number from %d to %d", low, high)
			}
			return n, nil
		},
		format: strconv.Itoa,
	}
}

var rate = kind[float64]{
	name: "number",
	parse: func(s string) (float64, error) {
		n, err := strconv.ParseFloat(s, 64)
		if err != nil || !(n >= 0) || math.IsInf(n, 0) {
			return 0, errors.New("is not a number of 0 or more")
		}
		return n, nil
	},
	format: func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) },
}

// span is a duration with its unit, from low on.
func span(low time.Duration) kind[time.Duration] {
	return kind[time.Duration]{
		name: "duration",
		parse: func(s string) (time.Duration, error) {
			d, err := time.ParseDuration(s)
			if err != nil || d < low {
				return 0, fmt.Errorf("is not a duration of %v or more, such as 10s or 1m30s", low)
			}
			return d, nil
		},
		format: time.Duration.String,
	}
}

func oneOf(words ...string) kind[string] {
	return kind[string]{
		name: "word",
		parse: func(s string) (string, error) {
			if !slices.Contains(words, s) {
				return "", fmt.Errorf("is not one of %s", strings.Join(words, ", "))
			}
			return s, nil
		},
		format: identity,
	}
}
