package check

import "cmp"

// scriptsRun judges a run of scripts: what they claim is their own, what holds for
// every stream and every harm is looked at here.
func (j *judge) scriptsRun() {
	claims := j.row("claims", "every script's claim was tried and holds")
	contract := j.row("contract", "every stream keeps the contract, whatever happens to it")
	for _, s := range j.scripts {
		claims.Checked++
		failed, unseen := j.failed[s.name], j.unseen[s.name]
		switch {
		case s.verdict == Fail, s.verdict == Pass && failed != "":
			j.violate(claims, s.t, 0, "%s: %s", s.name, cmp.Or(failed, s.reason))
		case s.verdict != Pass:
			j.doubt("%s: %s: %s", s.name, s.verdict, s.reason)
		case unseen != "":
			j.doubt("%s: a harm was never seen: %s", s.name, unseen)
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
