package doctor

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// Verdict is the outcome of a check.
type Verdict string

// The verdicts.
const (
	Pass Verdict = "PASS"
	Fail Verdict = "FAIL"
	Skip Verdict = "SKIP" // it could not be made, or does not apply; Cause says why
)

// Finding is what one check has found.
type Finding struct {
	Check   string  `json:"check"`
	About   string  `json:"about"` // what the check looks at, in words
	Verdict Verdict `json:"verdict"`
	Cause   string  `json:"cause,omitempty"`  // why it failed or was skipped; with Pass, what was seen
	Mend    string  `json:"mend,omitempty"`   // what to do about it
	Millis  int64   `json:"millis,omitempty"` // how long it took

	open bool   // skipped since it does not apply: what needs it is made all the same
	need string // the first check on which it depends that did not pass
}

// Report is the findings, in the order of the checks.
type Report []Finding

// Failed reports whether a check has failed.
func (r Report) Failed() bool {
	for _, f := range r {
		if f.Verdict == Fail {
			return true
		}
	}
	return false
}

// check is a line of the table of checks.
type check struct {
	name, about string
	needs       []string // checks that come before in the table
	run         func(v *visit, ctx context.Context) Finding
}

func pass(format string, args ...any) Finding {
	return Finding{Verdict: Pass, Cause: fmt.Sprintf(format, args...)}
}

func skip(format string, args ...any) Finding {
	return Finding{Verdict: Skip, Cause: fmt.Sprintf(format, args...)}
}

// notUsed is the finding of a check that does not apply here.
func notUsed(format string, args ...any) Finding {
	f := skip(format, args...)
	f.open = true
	return f
}

func fail(mend string, format string, args ...any) Finding {
	return Finding{Verdict: Fail, Mend: mend, Cause: fmt.Sprintf(format, args...)}
}

// Examine makes every check; each finding is handed to told, which may be nil, as soon as it is
// there. It ends early when ctx does: the checks that are left are skipped.
func Examine(ctx context.Context, o Options, told func(Finding)) Report {
	v := &visit{options: o.withDefaults()}
	defer v.close()
	unmet := map[string]string{} // why a check's dependants are skipped: the first check that did not pass
	var report Report
	for _, c := range checks {
		f := v.make(ctx, c, unmet)
		f.Check, f.About = c.name, c.about
		if f.Verdict != Pass && !f.open {
			unmet[c.name] = cmp.Or(f.need, c.name)
		}
		report = append(report, f)
		if told != nil {
			told(f)
		}
	}
	return report
}

// make makes one check, if what it needs is there.
func (v *visit) make(ctx context.Context, c check, unmet map[string]string) Finding {
	for _, need := range c.needs {
		if first, missing := unmet[need]; missing {
			f := skip("needs %s", first)
			f.need = first
			return f
		}
	}
	if ctx.Err() != nil {
		return skip("interrupted")
	}
	start := time.Now()
	f := c.run(v, ctx)
	f.Millis = time.Since(start).Milliseconds()
	return f
}
