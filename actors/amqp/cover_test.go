package amqp_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// What a few well-known patterns cover, to read.
func TestCoversByExample(t *testing.T) {
	for _, row := range []struct {
		pattern, other string
		want           bool
	}{
		{"#", "#", true},
		{"#", "", true},
		{"#", "a.*.#.c", true},
		{"a.#", "a", true},
		{"a.#", "a.b.c", true},
		{"a.#", "a.*.c", true},
		{"a.#", "#.a", false},
		{"a.#", "*.b", false},
		{"a.#", "b.#", false},
		{"*", "a", true},
		{"*", "", false},
		{"*", "#", false},
		{"*.#", "#.a", true},
		{"*.#", "#.*", true},
		{"#.*", "*.#", true},
		{"#.a.#", "*.a.#", true},
		{"#.a.#", "#.b.#", false},
		{"#.a.*.#", "#.a.#.b", true},
		{"#.*.a.#", "a.#", false},
		{"a.#.b", "a.#", false},
		{"a.#.b", "a.x.#.y.b", true},
		{"a.#.a", "a", false},
		{"*.#.", "#.", true}, // no key is one empty word
		{"#..#", "#.", true},
		{"primary.#", "primary.NvC3DOq2RDi_5B7kHxcXkw.#", true},
		{"primary.*", "primary.#", false},
	} {
		b, other := amqp.Binding{Exchange: "e", Pattern: row.pattern}, amqp.Binding{Exchange: "e", Pattern: row.other}
		if got := b.Covers(other); got != row.want {
			t.Errorf("%q covers %q: %v", row.pattern, row.other, got)
		}
	}
}

// Another exchange's binding, and one that no broker is asked for, is not covered.
func TestCoversIsOfOneExchangeAndOfValidBindings(t *testing.T) {
	all := amqp.Binding{Exchange: "e", Pattern: "#"}
	for _, other := range []amqp.Binding{{Exchange: "f", Pattern: "#"}, {}, {Exchange: "e", Pattern: "#.a.#.b.#"}, {Exchange: "e", Pattern: "a\n"}} {
		if all.Covers(other) || other.Covers(all) {
			t.Errorf("%s covers %s, or the other way round", all, other)
		}
	}
}

// sequences returns all sequences of up to n of some words, joined by dots.
func sequences(n int, words ...string) []string {
	all, last := []string{""}, []string{""}
	for i := range n {
		var next []string
		for _, start := range last {
			for _, word := range words {
				if i > 0 {
					word = start + "." + word
				}
				next = append(next, word)
			}
		}
		all, last = append(all, next...), next
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// matched returns which of the keys a pattern matches.
func matched(pattern string, keys []string) (set []bool) {
	for _, key := range keys {
		set = append(set, amqp.Binding{Exchange: "e", Pattern: pattern}.Matches(key))
	}
	return set
}

// uncovered returns a key that the second set has and the first has not.
func uncovered(keys []string, set, other []bool) (string, bool) {
	for i, key := range keys {
		if other[i] && !set[i] {
			return key, true
		}
	}
	return "", false
}

// checkCover compares Covers with the keys themselves.
func checkCover(t *testing.T, pattern, other string, keys []string, set, otherSet []bool) {
	t.Helper()
	b, o := amqp.Binding{Exchange: "e", Pattern: pattern}, amqp.Binding{Exchange: "e", Pattern: other}
	key, found := uncovered(keys, set, otherSet)
	if got := b.Covers(o); got == found {
		t.Errorf("%q covers %q: %v; a key between them: %q %v", pattern, other, got, key, found)
	}
}

// A grant is neither too wide nor too narrow: for every pair of patterns of up to three words, Covers
// says what the keys say. The longest key that can tell two such patterns apart has seven words.
func TestCoversIsContainmentOfAllShortPatterns(t *testing.T) {
	keys := sequences(7, "a", "", "other")
	sets := map[string][]bool{}
	for _, pattern := range sequences(3, "a", "", "*", "#") {
		if (amqp.Binding{Exchange: "e", Pattern: pattern}).Validate() == nil {
			sets[pattern] = matched(pattern, keys)
		}
	}
	for pattern, set := range sets {
		for other, otherSet := range sets {
			checkCover(t, pattern, other, keys, set, otherSet)
		}
	}
}

// The same for longer patterns, drawn at random. Keys of up to ten words, of which one is known to the
// patterns, tell all of them apart.
func TestCoversIsContainmentOfLongerPatterns(t *testing.T) {
	keys := sequences(10, "a", "other")
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 0))
		pattern, other := drawPattern(r), drawPattern(r)
		checkCover(t, pattern, other, keys, matched(pattern, keys), matched(other, keys))
	}
}

// drawPattern returns a valid pattern of up to four words.
func drawPattern(r *rand.Rand) string {
	for {
		words := make([]string, r.IntN(5))
		for i := range words {
			words[i] = []string{"a", "a", "*", "*", "#"}[r.IntN(5)]
		}
		if pattern := strings.Join(words, "."); (amqp.Binding{Exchange: "e", Pattern: pattern}).Validate() == nil {
			return pattern
		}
	}
}

// longest returns patterns of as many words as AMQP can carry, which make most work.
func longest() []string {
	var patterns []string
	for _, word := range []string{"", "a", "*"} {
		n := amqp.MaxNameBytes/(len(word)+1) - 4
		words := strings.Repeat(word+".", n/2)
		patterns = append(patterns, words+"#."+words+"#", "#."+words+"b."+words+"#", "#."+words+"#", words+words)
	}
	return patterns
}

// The longest patterns do not make a request expensive.
func TestCoversOfTheLongestPatterns(t *testing.T) {
	for _, pattern := range longest() {
		for _, other := range longest() {
			b, o := amqp.Binding{Exchange: "e", Pattern: pattern}, amqp.Binding{Exchange: "e", Pattern: other}
			if got := b.Covers(o); pattern == other && !got {
				t.Errorf("%q does not cover itself: %v", pattern, b.Validate())
			}
		}
	}
}

func BenchmarkCovers(b *testing.B) {
	longest := longest()
	for _, pair := range [][2]string{{"primary.#", "primary.NvC3DOq2RDi_5B7kHxcXkw.#"}, {longest[0], longest[1]}, {longest[8], longest[9]}} {
		grant, asked := amqp.Binding{Exchange: "e", Pattern: pair[0]}, amqp.Binding{Exchange: "e", Pattern: pair[1]}
		b.Run("", func(b *testing.B) {
			for b.Loop() {
				grant.Covers(asked)
			}
		})
	}
	b.Run("every pair of the longest", func(b *testing.B) {
		for b.Loop() {
			for _, pattern := range longest {
				for _, other := range longest {
					amqp.Binding{Exchange: "e", Pattern: pattern}.Covers(amqp.Binding{Exchange: "e", Pattern: other})
				}
			}
		}
	})
}
