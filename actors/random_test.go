package actors

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// randomRounds is how often a property is tried.
const randomRounds = 100

// forRandom calls check with different sources of random numbers, each in a subtest with the name
// of its seed, so that -run repeats one that failed.
func forRandom(t *testing.T, check func(t *testing.T, r *rand.Rand)) {
	for seed := range uint64(randomRounds) {
		if !t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) { check(t, rand.New(rand.NewPCG(seed, 0))) }) {
			return // later ones have more steps, and say less
		}
	}
}

// steps takes random steps, more of them in later rounds, and calls invariant after each. A failure
// shows the way that led to it.
func steps(t *testing.T, r *rand.Rand, do map[string]func(), invariant func()) {
	t.Helper()
	names := slices.Sorted(maps.Keys(do))
	var way []string
	defer func() {
		if t.Failed() {
			t.Log("steps: " + strings.Join(way, ", "))
		}
	}()
	for range 1 + r.IntN(60) {
		name := pick(r, names)
		way = append(way, name)
		do[name]()
		invariant()
	}
}

// between returns a random number from low to high, both included.
func between(r *rand.Rand, low, high int) int { return low + r.IntN(high-low+1) }

func pick[T any](r *rand.Rand, of []T) T { return of[r.IntN(len(of))] }

// some returns low to high random values.
func some[T any](r *rand.Rand, low, high int, value func() T) []T {
	list := make([]T, between(r, low, high))
	for i := range list {
		list[i] = value()
	}
	return list
}
