package doctor

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Lines writes findings for people as they are told: a line each, a second one for what to do about
// a failure, and one for all checks in a row that are skipped for the same one.
//
//	FAIL  broker.login     user and password: rabbit:5671 refuses the user "ada": …
//	                       → correct user name and password
//	SKIP  broker.vhost … broker.kinds: needs broker.login
type Lines struct {
	Out     io.Writer
	skipped []Finding // in a row, not written yet
}

// Tell writes a finding.
func (l *Lines) Tell(f Finding) {
	if len(l.skipped) > 0 && (f.need == "" || f.need != l.skipped[0].need) {
		l.Flush()
	}
	if f.need != "" {
		l.skipped = append(l.skipped, f)
		return
	}
	fmt.Fprintf(l.Out, "%s  %-16s %s: %s\n", f.Verdict, f.Check, f.About, printable(f.Cause))
	if f.Mend != "" {
		fmt.Fprintf(l.Out, "%23s→ %s\n", "", printable(f.Mend))
	}
}

// Flush writes what is still to be written.
func (l *Lines) Flush() {
	if len(l.skipped) == 0 {
		return
	}
	first, last := l.skipped[0], l.skipped[len(l.skipped)-1]
	names := first.Check
	if first.Check != last.Check {
		names += " … " + last.Check
	}
	fmt.Fprintf(l.Out, "%s  %s: %s\n", Skip, names, first.Cause)
	l.skipped = nil
}

// printable returns text without what a terminal would obey: brokers and proxies have written it.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// Summary returns the numbers of the verdicts.
func (r Report) Summary() string {
	n := map[Verdict]int{}
	for _, f := range r {
		n[f.Verdict]++
	}
	return fmt.Sprintf("%d passed, %d failed, %d skipped", n[Pass], n[Fail], n[Skip])
}

// WriteJSON writes the report as one document.
func (r Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(struct {
		Sound  bool   `json:"sound"`
		Checks Report `json:"checks"`
	}{!r.Failed(), r})
}
