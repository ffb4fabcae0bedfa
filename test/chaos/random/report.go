package random

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"sync"

	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// The verdicts.
const (
	Pass    = "pass"    // every claim was tried and held
	Fail    = "fail"    // one did not hold
	Unknown = "unknown" // none failed, and not all could be judged
)

// Report is what a run found. It is complete when Run returns.
type Report struct {
	Verdict string   `json:"verdict"`
	Unknown []string `json:"unknown"` // why the verdict is that
	Seed    uint64   `json:"seed"`

	Invariants []history.Invariant `json:"invariants"`
	Violations []string            `json:"violations"` // the first few of each invariant; empty: all held

	Harms   []HarmCount       `json:"harms"`
	Skipped []history.Skipped `json:"skipped"`
	Reached Reached           `json:"reached"`

	Published int   `json:"published"` // messages that the broker has confirmed
	Received  int64 `json:"received"`  // by all clients
	Opened    int64 `json:"opened"`    // streams
	Excused   int   `json:"excused"`   // messages that streams missed where the documentation admits it, see Harm.Deaf

	Before             Vitals    `json:"before"` // with no stream
	After              Vitals    `json:"after"`  // after the last stream
	MemoryMost         float64   `json:"memoryMost"`
	MemoryMostByMinute []float64 `json:"memoryMostByMinute"` // flat, or something leaks
}

// Vitals are the process's own figures.
type Vitals struct {
	Goroutines  float64 `json:"goroutines"`
	Descriptors float64 `json:"descriptors"`
	Resident    float64 `json:"resident"` // bytes
	Heap        float64 `json:"heap"`     // bytes
}

// HarmCount is what became of the harms of one kind.
type HarmCount struct {
	Name    string  `json:"name"`
	Asked   int     `json:"asked"`
	Seen    int     `json:"seen"`
	Healed  int     `json:"healed"`
	Longest float64 `json:"longest"` // seconds from the sign until all were served again
	Undone  string  `json:"undone"`  // the last reason why one was not done
}

// Reached is what of the product a run has seen, and how often.
type Reached struct {
	Codes    map[string]int64 `json:"codes"`    // of error events
	Roles    map[string]int64 `json:"roles"`    // of actors that failed
	Restarts map[string]int64 `json:"restarts"` // role and what its supervisor decided
	Statuses map[string]int64 `json:"statuses"` // of answers other than a stream
}

// Passed reports whether every claim was tried and held.
func (r *Report) Passed() bool { return r.Verdict == Pass }

// book is a report while the run goes on. Its methods may be called concurrently.
type book struct {
	mu         sync.Mutex
	report     Report
	log        io.Writer
	invariants map[string]*history.Invariant
	untriable  map[string]string // by invariant: why it was not tried
	violated   int64
}

// keptViolations is how many violations of each invariant are told in words: a flood of one must
// not hide the others.
const keptViolations = 5

func newBook(o Options) *book {
	b := &book{log: o.Log, invariants: map[string]*history.Invariant{}, untriable: map[string]string{}}
	b.report.Seed = o.Seed
	b.report.Reached = Reached{map[string]int64{}, map[string]int64{}, map[string]int64{}, map[string]int64{}}
	for _, i := range invariants() {
		b.invariants[i.Name] = &i
	}
	return b
}

// tried counts one more check of an invariant.
func (b *book) tried(invariant string) {
	b.mu.Lock()
	b.invariants[invariant].Checked++
	b.mu.Unlock()
}

// violate notes that an invariant did not hold.
func (b *book) violate(invariant, format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.invariants[invariant].Violated++
	b.violated++
	if b.invariants[invariant].Violated <= keptViolations {
		said := invariant + ": " + fmt.Sprintf(format, args...)
		b.report.Violations = append(b.report.Violations, said)
		fmt.Fprintln(b.log, "VIOLATION", said)
	}
}

// unjudged notes that an invariant could not be tried.
func (b *book) unjudged(invariant, format string, args ...any) {
	b.mu.Lock()
	b.invariants[invariant].Reason = fmt.Sprintf(format, args...)
	b.mu.Unlock()
}

// untried notes why an invariant, which was to be tried, was not: the run proves nothing.
func (b *book) untried(invariant, format string, args ...any) {
	b.mu.Lock()
	b.untriable[invariant] = fmt.Sprintf(format, args...)
	b.mu.Unlock()
}

// unshown is unjudged for an invariant that nothing has tried.
func (b *book) unshown(invariant, reason string) {
	b.mu.Lock()
	if i := b.invariants[invariant]; i.Checked == 0 {
		i.Reason = reason
	}
	b.mu.Unlock()
}

// doubt notes why the run proves nothing, even if no claim failed.
func (b *book) doubt(format string, args ...any) {
	b.mu.Lock()
	b.report.Unknown = append(b.report.Unknown, fmt.Sprintf(format, args...))
	b.mu.Unlock()
}

func (b *book) received(n int) { b.mu.Lock(); b.report.Received += int64(n); b.mu.Unlock() }
func (b *book) opened()        { b.mu.Lock(); b.report.Opened++; b.mu.Unlock() }

func (b *book) reachedCode(code string)     { b.reached(b.report.Reached.Codes, code) }
func (b *book) reachedStatus(status string) { b.reached(b.report.Reached.Statuses, status) }

func (b *book) reached(what map[string]int64, name string) {
	b.mu.Lock()
	what[name]++
	b.mu.Unlock()
}

func (b *book) reachedFailure(f history.Failure) {
	b.reached(b.report.Reached.Roles, f.Role)
	b.reached(b.report.Reached.Restarts, f.Role+" "+f.Decision)
}

func (b *book) say(format string, args ...any) {
	b.mu.Lock()
	fmt.Fprintf(b.log, format+"\n", args...)
	b.mu.Unlock()
}

func (b *book) violations() int64 { b.mu.Lock(); defer b.mu.Unlock(); return b.violated }

// remember notes what the process had resident in a minute.
func (b *book) remember(minute int, bytes float64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &b.report
	r.MemoryMost = max(r.MemoryMost, bytes)
	for len(r.MemoryMostByMinute) <= minute {
		r.MemoryMostByMinute = append(r.MemoryMostByMinute, 0)
	}
	r.MemoryMostByMinute[minute] = max(r.MemoryMostByMinute[minute], bytes)
}

// judge closes the book.
func (b *book) judge() *Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := &b.report
	r.Verdict = Pass
	for _, i := range invariants() {
		i := *b.invariants[i.Name]
		switch {
		case i.Violated > 0:
			i.Verdict, i.Reason = Fail, ""
			r.Verdict = Fail
		case i.Reason != "":
			i.Verdict = "skipped"
		case i.Checked == 0:
			i.Verdict, i.Reason = Unknown, cmp.Or(b.untriable[i.Name], "it was never tried")
			r.Unknown = append(r.Unknown, i.Name+": "+i.Reason)
		default:
			i.Verdict = Pass
		}
		r.Invariants = append(r.Invariants, i)
	}
	if r.Verdict == Pass && len(r.Unknown) > 0 {
		r.Verdict = Unknown
	}
	return r
}

// Print writes the report for people.
func (r *Report) Print(w io.Writer) {
	fmt.Fprintf(w, "published %d, received %d, on %d streams\n", r.Published, r.Received, r.Opened)
	if r.Excused > 0 {
		fmt.Fprintf(w, "%d of them were missed while streams were deaf to an exchange made again: not told, and within the documented time\n", r.Excused)
	}
	fmt.Fprintln(w, "harms: asked, seen by an independent sign, healed, longest time to heal:")
	for _, h := range r.Harms {
		fmt.Fprintf(w, "  %5d %5d %5d %6.1fs  %s", h.Asked, h.Seen, h.Healed, h.Longest, h.Name)
		if h.Seen < h.Asked {
			fmt.Fprintf(w, " (not done: %d; the last: %s)", h.Asked-h.Seen, h.Undone)
		}
		fmt.Fprintln(w)
	}
	for _, s := range r.Skipped {
		fmt.Fprintf(w, "  skipped: %s: %s\n", s.What, s.Reason)
	}
	printCounts(w, "codes reached", r.Reached.Codes)
	printCounts(w, "other answers", r.Reached.Statuses)
	printCounts(w, "actors that failed, and their supervisors' decisions", r.Reached.Restarts)
	const mebibyte = 1 << 20
	fmt.Fprintf(w, "goroutines %g before, %g after; descriptors %g, %g\n",
		r.Before.Goroutines, r.After.Goroutines, r.Before.Descriptors, r.After.Descriptors)
	fmt.Fprintf(w, "memory %.1f MiB before, %.1f at the most, %.1f after\n",
		r.Before.Resident/mebibyte, r.MemoryMost/mebibyte, r.After.Resident/mebibyte)
	fmt.Fprint(w, "memory at the most, minute by minute:")
	for _, bytes := range r.MemoryMostByMinute {
		fmt.Fprintf(w, " %.1f", bytes/mebibyte)
	}
	fmt.Fprintln(w, "\ninvariants: checked, violated:")
	for _, i := range r.Invariants {
		fmt.Fprintf(w, "  %-7s %8d %3d  %s", i.Verdict, i.Checked, i.Violated, i.Claim)
		if i.Reason != "" {
			fmt.Fprintf(w, " (%s)", i.Reason)
		}
		fmt.Fprintln(w)
	}
	for _, violation := range r.Violations {
		fmt.Fprintln(w, "  "+violation)
	}
	for _, why := range r.Unknown {
		fmt.Fprintln(w, "unknown:", why)
	}
	fmt.Fprintf(w, "verdict: %s (seed %d)\n", r.Verdict, r.Seed)
}

func printCounts(w io.Writer, what string, counts map[string]int64) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintln(w, what+":")
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "  %7d %s\n", counts[name], name)
	}
}
