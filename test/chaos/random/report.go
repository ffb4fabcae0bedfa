package random

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"
)

// Report is what a run found.
type Report struct {
	Seed       uint64           `json:"seed"`
	Published  int              `json:"published"`  // messages that the broker took
	Received   int64            `json:"received"`   // by all clients
	Counts     map[string]int64 `json:"counts"`     // streams opened and how they ended
	Harms      map[string]int64 `json:"harms"`      // what was done, how often
	Violations []string         `json:"violations"` // the first few; empty: all held
	Violated   int              `json:"violated"`   // all of them

	GoroutinesBefore float64 `json:"goroutinesBefore"`
	GoroutinesAfter  float64 `json:"goroutinesAfter"`
	MemoryBefore     float64 `json:"memoryBefore"` // resident bytes, with no stream
	MemoryMost       float64 `json:"memoryMost"`
	MemoryAfter      float64 `json:"memoryAfter"` // right after the last stream: what is free goes back a little later

	MemoryMostByMinute []float64 `json:"memoryMostByMinute"` // flat, or something leaks

	mu  sync.Mutex
	log io.Writer
}

// keptViolations is how many violations are told in words.
const keptViolations = 20

func newReport(o Options) *Report {
	return &Report{Seed: o.Seed, Counts: map[string]int64{}, Harms: map[string]int64{}, log: o.Log}
}

// Passed tells whether everything held.
func (r *Report) Passed() bool { return r.Violated == 0 }

// violate notes something that must not be.
func (r *Report) violate(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Violated++
	if len(r.Violations) < keptViolations {
		r.Violations = append(r.Violations, fmt.Sprintf(format, args...))
		fmt.Fprintf(r.log, "VIOLATION "+format+"\n", args...)
	}
}

func (r *Report) count(what string) {
	r.mu.Lock()
	r.Counts[what]++
	r.mu.Unlock()
}

func (r *Report) harmed(name string) {
	r.mu.Lock()
	r.Harms[name]++
	r.mu.Unlock()
}

func (r *Report) received() {
	r.mu.Lock()
	r.Received++
	r.mu.Unlock()
}

func (r *Report) say(format string, args ...any) {
	r.mu.Lock()
	fmt.Fprintf(r.log, format+"\n", args...)
	r.mu.Unlock()
}

// remember notes what the process had resident in a minute.
func (r *Report) remember(minute int, bytes float64) {
	r.MemoryMost = max(r.MemoryMost, bytes)
	for len(r.MemoryMostByMinute) <= minute {
		r.MemoryMostByMinute = append(r.MemoryMostByMinute, 0)
	}
	r.MemoryMostByMinute[minute] = max(r.MemoryMostByMinute[minute], bytes)
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "published %d, received %d\n", r.Published, r.Received)
	printCounts(w, "streams", r.Counts)
	printCounts(w, "harms", r.Harms)
	fmt.Fprintf(w, "goroutines %g before, %g after\n", r.GoroutinesBefore, r.GoroutinesAfter)
	const mebibyte = 1 << 20
	fmt.Fprintf(w, "memory %.1f MiB before, %.1f at the most, %.1f after\n",
		r.MemoryBefore/mebibyte, r.MemoryMost/mebibyte, r.MemoryAfter/mebibyte)
	fmt.Fprint(w, "memory at the most, minute by minute:")
	for _, bytes := range r.MemoryMostByMinute {
		fmt.Fprintf(w, " %.1f", bytes/mebibyte)
	}
	fmt.Fprintf(w, "\n%d violations (seed %d)\n", r.Violated, r.Seed)
	for _, violation := range r.Violations {
		fmt.Fprintln(w, "  "+violation)
	}
}

func printCounts(w io.Writer, what string, counts map[string]int64) {
	fmt.Fprintln(w, what+":")
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "  %7d %s\n", counts[name], name)
	}
}
