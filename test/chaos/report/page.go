package report

import (
	"bytes"
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strconv"

	"github.com/taskcluster/events-proxy/test/chaos/check"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"grouped": grouped}).Parse(pageText))

// view is what the page shows.
type view struct {
	Verdict, Sentence string
	Run               Run
	Mode              string
	Span              string
	Unknown, Disagree []string
	Facts             []fact
	Environment       []fact
	Invariants        []check.Invariant
	Timeline          template.HTML
	Plots             []titled
	Harms             []harmRow
	Skipped           []line
	Reached           []counted
	Scripts           []line
	ScriptHarms       map[string][]string
	First             *check.Violation
	Around            []around
	Violations        []check.Violation
	More              int
	Logs              []string
}

type (
	fact   struct{ Name, Value string }
	titled struct {
		Title  string
		Legend []series
		SVG    template.HTML
	}
	harmRow struct {
		Name, Does          string
		Asked, Seen, Healed int
		Longest             string
		Undone              string
	}
	counted struct {
		Title string
		Rows  []fact
	}
	around struct {
		T     string
		Text  string
		Close bool // it is the violation's own
	}
)

// Name and Class are for the legend.
func (s series) Name() string  { return s.name }
func (s series) Class() string { return s.class }

// shownViolations is how many violations the page lists.
const shownViolations = 50

func (r *reading) page() ([]byte, error) {
	v := view{
		Verdict: r.verdict, Sentence: r.sentence(), Run: r.run, Mode: mode(r.run), Span: clock(r.last),
		Unknown: r.judgement.Unknown, Disagree: r.judgement.Disagrees, Facts: r.facts(), Environment: r.environment(),
		Invariants: r.judgement.Invariants, Skipped: r.skipped, Reached: r.reached(), Scripts: r.scripts,
		Violations: r.judgement.Violations, ScriptHarms: r.scriptHarms(), Logs: r.logs,
	}
	if v.More = len(v.Violations) - shownViolations; v.More > 0 {
		v.Violations = v.Violations[:shownViolations]
	}
	if len(r.harms) > 0 {
		v.Timeline, v.Harms = r.timeline(), r.harmRows()
	}
	if r.run.Mode == "random" {
		v.Plots = r.plots()
	}
	if len(r.judgement.Violations) > 0 {
		v.First = &r.judgement.Violations[0]
		v.Around = r.around(*v.First)
	}
	var out bytes.Buffer
	err := pageTemplate.Execute(&out, v)
	return out.Bytes(), err
}

// grouped writes a number with its thousands apart: 1,069,590.
func grouped(n int) string {
	text := strconv.Itoa(n)
	for at := len(text) - 3; at > 0 && text[at-1] != '-'; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}

// sentence is the verdict in words.
func (r *reading) sentence() string {
	switch r.verdict {
	case check.Pass:
		if n := r.skips(); n > 0 {
			return fmt.Sprintf("Every claim that could be judged held; an independent judge of the history agrees. Not judged: %d, marked as skipped.", n)
		}
		return "Every claim was tried and held; an independent judge of the history agrees."
	case check.Fail:
		return fmt.Sprintf("%d violations were found. The first, with what happened around it, stands below.", len(r.judgement.Violations))
	}
	return "No claim failed, and not all could be judged: this is not a pass."
}

// skips is how many claims could not be judged.
func (r *reading) skips() (n int) {
	for _, i := range r.judgement.Invariants {
		if i.Verdict == "skipped" {
			n++
		}
	}
	return n
}

func mode(run Run) string {
	if run.Mode == "scripts" {
		return "chaos scripts, played on an events proxy"
	}
	queues := "a queue for each stream"
	switch {
	case run.Shared:
		queues = "shared queues"
	case run.Routed:
		queues = "one queue for all streams"
	}
	if run.Nodes > 1 {
		queues += fmt.Sprintf(", a RabbitMQ cluster of %d nodes", run.Nodes)
	}
	return fmt.Sprintf("random harm to an events proxy for %s, %d clients, %s", clock(run.Seconds), run.Clients, queues)
}

func (r *reading) facts() []fact {
	list := []fact{{"begun", r.run.Started}, {"took", clock(r.last)}}
	if r.run.Mode == "random" {
		list = append(list, fact{"seed", fmt.Sprint(r.run.Seed)}, fact{"time allowed to heal", clock(r.run.Patience)},
			fact{"messages published", grouped(len(r.published))})
	}
	return append(list, fact{"messages received", grouped(len(r.arrivals))}, fact{"harms asked for", grouped(len(r.harms))})
}

func (r *reading) environment() (list []fact) {
	for _, name := range slices.Sorted(maps.Keys(r.run.Environment)) {
		list = append(list, fact{name, r.run.Environment[name]})
	}
	return list
}

func (r *reading) plots() []titled {
	half, most := r.delays()
	of := func(title, unit string, lines ...series) titled {
		return titled{title + ", " + unit, lines, r.plot(title, unit, lines...)}
	}
	return []titled{
		of("Deliveries", "messages a second, all clients", series{"deliveries", "a", r.deliveries()}),
		of("Delay from publishing to the client", "milliseconds", series{"p99", "b", most}, series{"p50", "a", half}),
		of("Streams that are ready", "count", series{"streams", "a", r.open()}),
		of("Memory of the process", "MiB resident", series{"resident", "a", r.most(r.resident)}),
		of("Queues of the proxy on the broker", "count", series{"queues", "a", r.most(r.queues)}),
	}
}

func (r *reading) harmRows() (rows []harmRow) {
	names, of := r.lanes()
	for _, name := range names {
		row, longest := harmRow{Name: name, Does: r.does[name]}, 0.0
		for _, h := range of[name] {
			row.Asked++
			if h.seen >= 0 {
				row.Seen++
			}
			if h.healed >= 0 {
				row.Healed++
				longest = max(longest, h.healed-h.seen)
			}
			row.Undone = cmp.Or(h.undone, row.Undone)
		}
		if row.Longest = "–"; row.Healed > 0 {
			row.Longest = fmt.Sprintf("%.1f s", longest)
		}
		rows = append(rows, row)
	}
	return rows
}

func (r *reading) scriptHarms() map[string][]string {
	of := map[string][]string{}
	for _, h := range r.harms {
		if h.script != "" {
			of[h.script] = append(of[h.script], h.describe())
		}
	}
	return of
}

func (r *reading) reached() (list []counted) {
	for _, c := range []struct {
		title  string
		counts map[string]int
	}{{"Codes that streams were told", r.codes}, {"Actors that failed, and what was decided", r.failures}, {"Other answers", r.statuses}} {
		var rows []fact
		for _, name := range slices.Sorted(maps.Keys(c.counts)) {
			rows = append(rows, fact{name, grouped(c.counts[name])})
		}
		if len(rows) > 0 {
			list = append(list, counted{c.title, rows})
		}
	}
	return list
}
