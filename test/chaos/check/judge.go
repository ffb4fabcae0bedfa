package check

import (
	"cmp"
	"fmt"
	"io"
	"slices"
)

// The verdicts.
const (
	Pass    = "pass"
	Fail    = "fail"
	Unknown = "unknown"
	skipped = "skipped"
)

// Judgement is what a history proves.
type Judgement struct {
	Verdict    string      `json:"verdict"`
	Invariants []Invariant `json:"invariants"`
	Violations []Violation `json:"violations"` // by time
	Unknown    []string    `json:"unknown"`    // why it is not a pass
	// Recorded is the runner's own verdict, "" where the history has none; Disagrees
	// names what the two see differently.
	Recorded  string   `json:"recorded"`
	Disagrees []string `json:"disagrees"`
}

// Invariant is a claim and how often it was tried.
type Invariant struct {
	Name     string `json:"name"`
	Claim    string `json:"claim"`
	Checked  int    `json:"checked"`
	Violated int    `json:"violated"`
	Verdict  string `json:"verdict"`
	Reason   string `json:"reason,omitempty"`
}

// Violation is one time that a claim did not hold.
type Violation struct {
	T         float64 `json:"t"`
	Invariant string  `json:"invariant"`
	Stream    int     `json:"stream,omitempty"` // 0: of no stream in particular
	Says      string  `json:"says"`
}

// Judge reads a history and judges it. It returns an error if it cannot be read, which
// is a verdict of Unknown.
func Judge(history io.Reader) (Judgement, error) {
	r, err := read(history)
	if err != nil {
		return Judgement{Verdict: Unknown, Unknown: []string{err.Error()}}, err
	}
	j := &judge{record: r}
	if r.run.Mode == "scripts" {
		j.scriptsRun()
	} else {
		j.randomRun()
	}
	return j.conclude(), nil
}

// judge is a judgement while it is made.
type judge struct {
	*record
	rows       []*Invariant
	violations []Violation
	doubts     []string
	byClient   map[int][]batch
}

// row is the account of one invariant.
func (j *judge) row(name, claim string) *Invariant {
	row := &Invariant{Name: name, Claim: claim}
	j.rows = append(j.rows, row)
	return row
}

func (j *judge) violate(row *Invariant, t float64, stream int, format string, args ...any) {
	row.Violated++
	j.violations = append(j.violations, Violation{t, row.Name, stream, fmt.Sprintf(format, args...)})
}

func (j *judge) doubt(format string, args ...any) {
	j.doubts = append(j.doubts, fmt.Sprintf(format, args...))
}

// conclude draws the verdict.
func (j *judge) conclude() Judgement {
	out := Judgement{Verdict: Pass, Recorded: j.verdict}
	for _, row := range j.rows {
		switch {
		case row.Violated > 0:
			row.Verdict, out.Verdict = Fail, Fail
		case row.Verdict == skipped:
		case row.Checked == 0:
			row.Verdict, row.Reason = Unknown, cmp.Or(row.Reason, "it was never tried")
			j.doubt("%s: %s", row.Name, row.Reason)
		default:
			row.Verdict = Pass
		}
		out.Invariants = append(out.Invariants, *row)
		if theirs, ok := j.record.rows[row.Name]; ok && theirs != row.Verdict {
			out.Disagrees = append(out.Disagrees, fmt.Sprintf("%s: the runner says %s, the history %s", row.Name, theirs, row.Verdict))
		}
	}
	if j.verdict == "" {
		j.doubt("the history has no verdict: the run did not end")
	}
	if out.Verdict == Pass && len(j.doubts) > 0 {
		out.Verdict = Unknown
	}
	if j.verdict != "" && j.verdict != out.Verdict {
		out.Disagrees = append(out.Disagrees, fmt.Sprintf("the verdict: the runner says %s, the history %s", j.verdict, out.Verdict))
	}
	slices.SortStableFunc(j.violations, func(a, b Violation) int { return cmp.Compare(a.T, b.T) })
	out.Violations, out.Unknown = j.violations, j.doubts
	return out
}
