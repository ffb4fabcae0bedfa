package amqp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// patterns is a router with one queue per pattern, to ask which take a key.
type patterns struct {
	topic  topicRouter
	queues map[string]*memoryQueue
	to     targets
}

func newPatterns(list ...string) *patterns {
	p := &patterns{queues: map[string]*memoryQueue{}}
	for _, pattern := range list {
		if p.queues[pattern] == nil {
			p.queues[pattern] = &memoryQueue{name: pattern}
		}
		p.topic.bind(pattern, p.queues[pattern])
	}
	return p
}

func (p *patterns) unbind(pattern string) {
	p.topic.unbind(pattern, p.queues[pattern])
	delete(p.queues, pattern)
}

// taken is what taking should return, by the definition.
func (p *patterns) taken(key string) []string {
	var names []string
	for pattern := range p.queues {
		if matches(words(pattern), words(key)) {
			names = append(names, pattern)
		}
	}
	slices.Sort(names)
	return names
}

func (p *patterns) taking(key string) []string {
	p.to.reset()
	p.topic.route(key, &p.to)
	var names []string
	for _, q := range p.to.queues {
		names = append(names, q.name)
	}
	slices.Sort(names)
	return names
}

// matches is the definition of a topic pattern, with no thought of its cost.
func matches(pattern, key []string) bool {
	switch {
	case len(pattern) == 0:
		return len(key) == 0
	case pattern[0] == "#":
		return matches(pattern[1:], key) || len(key) > 0 && matches(pattern, key[1:])
	case len(key) == 0:
		return false
	}
	return (pattern[0] == "*" || pattern[0] == key[0]) && matches(pattern[1:], key[1:])
}

func words(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ".")
}

// The trie takes what the definition takes, whatever else is bound and was
// unbound before.
func FuzzTopicPatternsTakeWhatTheyDescribe(f *testing.F) {
	for _, seed := range [][3]string{
		{"a.*.c", "a.#", "a.b.c"}, {"#", "", ""}, {"#.#", "*.#", "a"}, {"#.a.#", "#.a", "a.a.b"},
		{"a.", ".a", "a."}, {"*", "#.*.#", "*"}, {"..", "#..#", ".."}, {"a.#.b", "a.*.#.b", "a.b"},
	} {
		f.Add(seed[0], seed[1], seed[2])
	}
	f.Fuzz(func(t *testing.T, one, two, key string) {
		if strings.Count(one, "#") > 4 || strings.Count(two, "#") > 4 || len(key) > 60 {
			return // the definition would take too long
		}
		p := newPatterns(one, two)
		for range 2 {
			if got, want := p.taking(key), p.taken(key); !slices.Equal(got, want) {
				t.Fatalf("%q is taken by %q, want %q", key, got, want)
			}
			p.unbind(two)
		}
	})
}

// An empty trie is left when everything is unbound: nothing leaks.
func TestUnbindingPrunesTheTrie(t *testing.T) {
	p := newPatterns("a.b.c", "a.*", "a.#.b", "#", "", "a")
	for pattern, q := range p.queues {
		p.topic.unbind("never.bound."+pattern, q)
		p.topic.unbind(pattern, q)
		p.topic.unbind(pattern, q)
	}
	root := p.topic.root
	if len(root.words) > 0 || root.any != nil || root.rest != nil || len(root.queues) > 0 {
		t.Errorf("left: %+v", root)
	}
}

// Patterns that would cost a backtracking matcher the age of the universe cost
// words times nodes here, which is nothing.
func TestHostilePatternsAreCheap(t *testing.T) {
	pattern := strings.Repeat("#.a.", 63) + "b"
	p := newPatterns(pattern)
	if got := p.taking(strings.Repeat("a.", 126) + "a"); got != nil {
		t.Errorf("taken by %q", got)
	}
	if got := p.taking(strings.Repeat("a.", 126) + "b"); !slices.Equal(got, []string{pattern}) {
		t.Errorf("taken by %q", got)
	}
}

// 1000 queues with the bindings of a Taskcluster page, and 100 of their own.
func BenchmarkRouteToOneOfAThousandQueues(b *testing.B) {
	t, to := topicRouter{}, targets{}
	for i := range 1000 {
		q := &memoryQueue{}
		for j := range 100 {
			t.bind(fmt.Sprintf("primary.task%d.%d.#", i, j), q)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		to.reset()
		t.route("primary.task500.7.worker.group.x", &to)
		if len(to.queues) != 1 {
			b.Fatal(len(to.queues))
		}
	}
}

func BenchmarkRouteToAThousandQueues(b *testing.B) {
	t, to := topicRouter{}, targets{}
	for i := range 1000 {
		q := &memoryQueue{}
		t.bind("primary.#", q)
		t.bind(fmt.Sprintf("route.%d.#", i), q)
	}
	b.ReportAllocs()
	for b.Loop() {
		to.reset()
		t.route("primary.task500.7.worker.group.x", &to)
		if len(to.queues) != 1000 {
			b.Fatal(len(to.queues))
		}
	}
}
