package amqp_test

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// The error of a wrong binding names the field and what is wrong with it.
func TestABindingKnowsWhatIsWrongWithIt(t *testing.T) {
	long := strings.Repeat("x", amqp.MaxNameBytes)
	for name, c := range map[string]struct {
		binding amqp.Binding
		want    string // "" where it is valid
	}{
		"ordinary":           {amqp.Binding{Exchange: "exchange/a", Pattern: "a.#"}, ""},
		"empty pattern":      {amqp.Binding{Exchange: "a"}, ""},
		"empty exchange":     {amqp.Binding{Pattern: "#"}, "exchange is empty"},
		"255 bytes":          {amqp.Binding{Exchange: long, Pattern: long}, ""},
		"256 bytes":          {amqp.Binding{Exchange: "a", Pattern: long + "x"}, "routingKeyPattern is 256 bytes long, at most 255 are allowed"},
		"128 characters":     {amqp.Binding{Exchange: strings.Repeat("é", 128)}, "exchange is 256 bytes long, at most 255 are allowed"},
		"not UTF-8":          {amqp.Binding{Exchange: "a", Pattern: "\xff"}, "routingKeyPattern is not UTF-8"},
		"line break":         {amqp.Binding{Exchange: "a\nb"}, "exchange holds a control character"},
		"NUL in the pattern": {amqp.Binding{Exchange: "a", Pattern: "\x00"}, "routingKeyPattern holds a control character"},
		"two hashes":         {amqp.Binding{Exchange: "a", Pattern: "#.a.#"}, ""},
		"many, normally one": {amqp.Binding{Exchange: "a", Pattern: "#.#.*.#.#.*.#.#"}, ""},
		"three hashes":       {amqp.Binding{Exchange: "a", Pattern: "#.a.#.b.#.#"}, "routingKeyPattern has 3 words #, at most 2 are allowed"},
		"no words #":         {amqp.Binding{Exchange: "a", Pattern: "a#.#b.##.a#b"}, ""},
		"other scripts":      {amqp.Binding{Exchange: "交换", Pattern: "ключ.#"}, ""},
	} {
		got := ""
		if err := c.binding.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// What Validate lets through never ends a link: it fits AMQP's short string.
func FuzzAValidBindingFitsAMQP(f *testing.F) {
	f.Add("exchange/a", "a.#")
	f.Add("", strings.Repeat("x", 256))
	f.Add("\x7f", "\xc3\x28")
	f.Fuzz(func(t *testing.T, exchange, pattern string) {
		b := amqp.Binding{Exchange: exchange, Pattern: pattern}
		if b.Validate() != nil {
			return
		}
		for _, s := range []string{exchange, pattern} {
			if len(s) > amqp.MaxNameBytes || !utf8.ValidString(s) || strings.ContainsAny(s, "\x00\r\n") {
				t.Errorf("%q is valid", s)
			}
		}
		if exchange == "" {
			t.Error("the default exchange cannot be bound")
		}
		if strings.ContainsAny(b.String(), "\r\n") {
			t.Errorf("%s breaks a log line", b)
		}
	})
}

// Equal bindings count once, in order of first appearance; the list is not changed.
func TestDistinctKeepsTheFirstOfEquals(t *testing.T) {
	a, b := amqp.Binding{Exchange: "a"}, amqp.Binding{Exchange: "a", Pattern: "b"}
	given := []amqp.Binding{b, a, b, a, a}
	if got := amqp.Distinct(given); !slices.Equal(got, []amqp.Binding{b, a}) {
		t.Errorf("got %v", got)
	}
	if !slices.Equal(given, []amqp.Binding{b, a, b, a, a}) {
		t.Errorf("the argument became %v", given)
	}
	one, two := amqp.Binding{Exchange: "a", Pattern: "x.#.*"}, amqp.Binding{Exchange: "a", Pattern: "x.*.#.#"}
	if got := amqp.Distinct([]amqp.Binding{one, two, a}); !slices.Equal(got, []amqp.Binding{one, a}) {
		t.Errorf("got %v: what is the same to a broker counts twice, or is not shown as asked", got)
	}
}

// Queue names are what Pulse lets a user make, and never twice the same.
func TestQueueNamesAreOfTheNamespace(t *testing.T) {
	one, two := amqp.QueueName("ada"), amqp.QueueName("ada")
	rest, ok := strings.CutPrefix(one, "queue/ada/exclusive/")
	if !ok || len(rest) != 22 || one == two || len(one) > amqp.MaxNameBytes {
		t.Errorf("got %q and %q", one, two)
	}
	if !strings.HasPrefix(one, amqp.QueuePrefix("ada")) {
		t.Errorf("%q is not below %q", one, amqp.QueuePrefix("ada"))
	}
}

// A queue has bounds even where none were asked for.
func TestEveryQueueIsBounded(t *testing.T) {
	for limits, want := range map[amqp.QueueLimits]int64{{}: amqp.DefaultMaxLength, {MaxLength: 5}: 5} {
		if got := amqp.QueueArguments("q", limits); got["x-max-length"] != want || got["x-expires"] != int64(60_000) {
			t.Errorf("%+v: got %v", limits, got)
		}
	}
}
