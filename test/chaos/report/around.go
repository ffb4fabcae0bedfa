package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/taskcluster/events-proxy/test/chaos/check"
)

// What is shown around the first violation: so many rows, within so many seconds.
const (
	aroundRows    = 40
	aroundSeconds = 5
)

// event is a line of the history, and how many more that say the same of other streams.
type event struct {
	line
	others int
}

// around returns the events nearest to a violation, by time.
func (r *reading) around(v check.Violation) (rows []around) {
	near := events(slices.DeleteFunc(slices.Clone(r.notable), func(l line) bool {
		return l.T < v.T-aroundSeconds || l.T > v.T+aroundSeconds
	}), v)
	rank := func(e event) float64 {
		distance := max(e.T-v.T, v.T-e.T)
		if ofStream(e.line, v) {
			distance -= 2 * aroundSeconds // its own come first
		}
		return distance
	}
	slices.SortStableFunc(near, func(a, b event) int { return cmp.Compare(rank(a), rank(b)) })
	near = near[:min(len(near), aroundRows)]
	slices.SortStableFunc(near, func(a, b event) int { return cmp.Compare(a.T, b.T) })
	after := slices.IndexFunc(near, func(e event) bool { return e.T > v.T })
	if after < 0 {
		after = len(near)
	}
	for _, e := range near {
		rows = append(rows, around{fmt.Sprintf("%.3f", e.T), e.String(), ofStream(e.line, v)})
	}
	return slices.Insert(rows, after, around{fmt.Sprintf("%.3f", v.T), "VIOLATION " + v.Invariant + ": " + v.Says, true})
}

// events are the lines by time. Of a crowd of streams to which the same happens, one event is made;
// the violation's own stream has its own, and none goes on beyond the violation.
func events(lines []line, v check.Violation) (list []event) {
	slices.SortStableFunc(lines, func(a, b line) int { return cmp.Compare(a.T, b.T) })
	for _, l := range lines {
		if last := len(list) - 1; last >= 0 && ofCrowd(l, v) && ofCrowd(list[last].line, v) && sameFate(l, list[last].line) && (l.T > v.T) == (list[last].T > v.T) {
			list[last].others++
			continue
		}
		list = append(list, event{line: l})
	}
	return list
}

func ofStream(l line, v check.Violation) bool { return v.Stream > 0 && l.Stream == v.Stream }

// ofCrowd reports whether a line tells of one stream among many.
func ofCrowd(l line, v check.Violation) bool {
	return slices.Contains([]string{"open", "ready", "error", "end"}, l.Kind) && !ofStream(l, v)
}

func sameFate(a, b line) bool {
	return a.Kind == b.Kind && a.Code == b.Code && a.Status == b.Status && a.How == b.How
}

// String says what has happened.
func (e event) String() string {
	said := strings.TrimSpace(e.line.String())
	if e.others > 0 {
		return fmt.Sprintf("%s, and %d others", said, e.others)
	}
	return said
}
