package check

import (
	"cmp"
	"slices"
	"strings"
)

// scriptsRun judges a run of scripts: what they claim is their own, what holds for every stream and
// every harm is looked at here. A script that has claimed nothing of its own proves nothing.
func (j *judge) scriptsRun() {
	claims := j.row("claims", "every script's claim was tried and holds")
	contract := j.row("contract", "every stream keeps the contract, whatever happens to it")
	for _, s := range j.scripts {
		failed, unseen := j.failed[s.name], j.unseen[s.name]
		switch {
		case s.verdict == Fail, s.verdict == Pass && failed != "":
			claims.Checked++
			j.violate(claims, s.t, 0, "%s: %s", s.name, cmp.Or(failed, s.reason))
		case s.verdict != Pass:
			j.doubt("%s: %s: %s", s.name, s.verdict, s.reason)
		case unseen != "":
			j.doubt("%s: a harm was never seen: %s", s.name, unseen)
		case j.tried[s.name] == 0:
			j.doubt("%s: it passed, and no command of it has judged a claim of its own", s.name)
		default:
			claims.Checked++
		}
	}
	for _, s := range j.order {
		contract.Checked++
		if s.odd != "" {
			j.violate(contract, s.ended, s.number, "%s", s.odd)
		}
		j.inOrder(contract, s)
	}
	if contract.Checked == 0 {
		contract.Verdict, contract.Reason = skipped, "no script opened a stream"
	}
}

// about are the words after expect with which a claim is about the whole proxy and its broker.
var about = map[string]bool{"broker": true, "process": true, "tree": true}

// tries reports whether a line of a script that succeeded has judged a claim of the script's own.
// One that also holds where nothing is done (clean, or 0 of a kind) is none.
func tries(line string) bool {
	words := strings.Fields(strings.TrimPrefix(line, "! "))
	switch {
	case len(words) > 0 && words[0] == "storm":
		return true
	case len(words) < 3 || words[0] != "expect":
		return false
	case !about[words[1]]:
		return true
	}
	return !slices.Contains(words[2:], "clean") && !slices.Contains(words[2:], "0")
}

// inOrder: numbers grow, unless a message is marked as redelivered, and none comes
// without ready or after the error.
func (j *judge) inOrder(row *Invariant, s *stream) {
	last := 0
	for _, b := range s.batches {
		if b.from <= last && !b.redelivered {
			j.violate(row, b.t, s.number, "message %d came after %d", b.from, last)
		}
		last = max(last, b.from+len(b.at)-1)
		if s.ready < 0 || b.t < s.ready {
			j.violate(row, b.t, s.number, "message %d before ready", b.from)
		}
	}
	if s.errors > 1 {
		j.violate(row, s.ended, s.number, "%d error events", s.errors)
	}
}
