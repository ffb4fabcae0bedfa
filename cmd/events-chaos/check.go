package main

import (
	"context"
	"fmt"
	"io"

	"github.com/taskcluster/events-proxy/test/chaos/check"
)

// runCheck judges the history of a report again, by its lines alone.
func (c command) runCheck(_ context.Context, args []string) error {
	if len(args) != 1 {
		return misuse("usage: events-chaos check DIR")
	}
	j, err := judged(args[0])
	if err != nil {
		return fmt.Errorf("%w: %w", errUnproved, err)
	}
	printJudgement(c.stdout, j)
	if len(j.Disagrees) > 0 && j.Verdict == check.Pass {
		return fmt.Errorf("%w: %s", errUnproved, j.Disagrees[0])
	}
	return outcome(j.Verdict, j, nil)
}

func printJudgement(w io.Writer, j check.Judgement) {
	fmt.Fprintln(w, "invariants: checked, violated:")
	for _, i := range j.Invariants {
		fmt.Fprintf(w, "  %-7s %8d %3d  %s", i.Verdict, i.Checked, i.Violated, i.Claim)
		if i.Reason != "" {
			fmt.Fprintf(w, " (%s)", i.Reason)
		}
		fmt.Fprintln(w)
	}
	for n, v := range j.Violations {
		if n == 20 {
			fmt.Fprintf(w, "  and %d more\n", len(j.Violations)-n)
			break
		}
		fmt.Fprintf(w, "  %.3f s: %s: %s", v.T, v.Invariant, v.Says)
		if v.Stream > 0 {
			fmt.Fprintf(w, " (stream %d)", v.Stream)
		}
		fmt.Fprintln(w)
	}
	for _, why := range j.Unknown {
		fmt.Fprintln(w, "unknown:", why)
	}
	for _, what := range j.Disagrees {
		fmt.Fprintln(w, "disagrees with the runner:", what)
	}
	if len(j.Disagrees) == 0 {
		fmt.Fprintln(w, "the runner agrees")
	}
	fmt.Fprintln(w, "verdict:", j.Verdict)
}
