package amqp

import (
	"strings"
	"testing"
)

// names returns every name of one to most of the words.
func names(most int, words ...string) []string {
	var all []string
	shorter := []string{""}
	for range most {
		var longer []string
		for _, name := range shorter {
			for _, word := range words {
				longer = append(longer, strings.TrimPrefix(name+"."+word, "."))
			}
		}
		all = append(all, longer...)
		shorter = longer
	}
	return all
}

// A broker is asked for the normal form in place of what a client asked for: both must take the
// same messages. Every pattern of up to six words and every key of up to five is tried against the
// definition.
func TestANormalPatternTakesTheSameMessages(t *testing.T) {
	keys := append(names(5, "a", "b"), "")
	for _, pattern := range names(6, "a", "*", "#") {
		asked := Binding{Exchange: "x", Pattern: pattern}
		normal := asked.Normal()
		for _, key := range keys {
			want := matches(words(pattern), words(key))
			if matches(words(normal.Pattern), words(key)) != want {
				t.Fatalf("%q became %q, which differs on %q", pattern, normal.Pattern, key)
			}
			if asked.Matches(key) != want || normal.Matches(key) != want {
				t.Fatalf("%q matches %q: want %t", pattern, key, want)
			}
		}
		if again := normal.Normal(); again != normal {
			t.Fatalf("%q became %q, and that %q", pattern, normal.Pattern, again.Pattern)
		}
		for _, costly := range []string{"#.#", "#.*"} {
			if strings.Contains("."+normal.Pattern+".", "."+costly+".") {
				t.Fatalf("%q became %q", pattern, normal.Pattern)
			}
		}
	}
}

// Patterns of any text keep their meaning, with empty words, odd words and long runs.
func FuzzANormalPatternTakesTheSameMessages(f *testing.F) {
	for _, seed := range [][2]string{{"#.*.#", "a."}, {"..#.#", "."}, {"a#.#", "a#"}, {"#.#.#.*.*.#", "a.b"}, {"#.", ""}, {".#", "x"}} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, key string) {
		if strings.Count(pattern, "#") > 5 || len(key) > 40 {
			return // the definition would take too long
		}
		asked := Binding{Exchange: "x", Pattern: pattern}
		normal := asked.Normal()
		want := matches(words(pattern), words(key))
		if matches(words(normal.Pattern), words(key)) != want || asked.Matches(key) != want {
			t.Errorf("%q became %q; on %q the first is %t", pattern, normal.Pattern, key, want)
		}
		if normal.Normal() != normal || len(normal.Pattern) > len(pattern) {
			t.Errorf("%q became %q", pattern, normal.Pattern)
		}
	})
}

// The costliest pattern that fits into a name is matched at once.
func TestMatchingAHostilePatternIsCheap(t *testing.T) {
	b := Binding{Exchange: "x", Pattern: strings.Repeat("#.a.", 63) + "b"}
	if b.Matches(strings.Repeat("a.", 126)+"a") || !b.Matches(strings.Repeat("a.", 126)+"b") {
		t.Error("it is matched wrongly")
	}
}
