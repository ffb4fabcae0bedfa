package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/report"
)

// ground is where defects are looked for from outside.
type ground struct {
	root    string           // the copy of the repository
	reports string           // a directory for each run
	sound   map[string]error // by run: why it does not pass without a defect
}

// seen plants the defects that can be seen from outside and whose names contain one of
// the words, and prints what found each, as rows of a Markdown table.
func seen(ctx context.Context, words []string, reports string, out io.Writer) error {
	root, err := copied(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	g := &ground{root: root, reports: filepath.Join(root, "reports"), sound: map[string]error{}}
	if reports != "" {
		if g.reports, err = filepath.Abs(reports); err != nil {
			return err
		}
	}
	if err := g.build(ctx, "events-chaos"); err != nil {
		return err
	}
	found, tried := 0, 0
	fmt.Fprint(out, "| defect | found by | invariant | seconds | what the report says first |\n|---|---|---|---|---|\n")
	for _, s := range sightings {
		if !wanted(s.defect, words) || ctx.Err() != nil {
			continue
		}
		tried++
		begun := time.Now()
		first, err := g.look(ctx, s)
		if err != nil {
			fmt.Fprintf(out, "| %s | NOT by `%s` | | %.0f | %v |\n", s.defect, s.run, time.Since(begun).Seconds(), err)
			continue
		}
		found++
		fmt.Fprintf(out, "| %s | `%s` | %s | %.0f | at %.1f s: %s |\n", s.defect, s.run, first.Invariant, time.Since(begun).Seconds(), first.T, first)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	fmt.Fprintf(out, "\n%d of %d defects found\n", found, tried)
	if found < tried {
		return errSurvived
	}
	return nil
}

// finding is the first violation of a report.
type finding struct{ check.Violation }

func (f finding) String() string {
	says, _, _ := strings.Cut(strings.ReplaceAll(f.Says, "|", "\\|"), "\n")
	if f.Stream > 0 {
		says += fmt.Sprintf(" (stream %d)", f.Stream)
	}
	return says
}

// look plants one defect and returns what a run reports of it.
func (g *ground) look(ctx context.Context, s sighting) (first finding, err error) {
	if err := g.passes(ctx, s.run); err != nil {
		return first, fmt.Errorf("without a defect: %w", err)
	}
	d, err := named(s.defect)
	if err != nil {
		return first, err
	}
	undo, err := d.plant(g.root)
	if err != nil {
		return first, err
	}
	err = errors.Join(g.build(ctx, "events"), undo())
	if err != nil {
		return first, err
	}
	dir := filepath.Join(g.reports, strings.Map(plain, s.defect))
	status, says, err := g.run(ctx, s.run, dir)
	if err != nil {
		return first, err
	}
	if status != 1 {
		return first, fmt.Errorf("the run ends with status %d: %s", status, says)
	}
	return shown(dir)
}

// passes makes sure that a run passes without a defect: else it finds nothing with one.
func (g *ground) passes(ctx context.Context, run string) error {
	if err, known := g.sound[run]; known {
		return err
	}
	err := g.build(ctx, "events")
	if err == nil {
		var status int
		var says string
		status, says, err = g.run(ctx, run, filepath.Join(g.reports, fmt.Sprintf("sound-%d", len(g.sound)+1)))
		if err == nil && status != 0 {
			err = fmt.Errorf("the run ends with status %d: %s", status, says)
		}
	}
	g.sound[run] = err
	return err
}

// run returns the exit status of a run of events-chaos and the last line that it complains with.
func (g *ground) run(ctx context.Context, args, dir string) (status int, says string, err error) {
	ctx, cancel := context.WithTimeout(ctx, runPatience)
	defer cancel()
	command := exec.CommandContext(ctx, g.binary("events-chaos"), append([]string{"run", "--program", g.binary("events"), "--report", dir}, strings.Fields(args)...)...)
	command.Dir = g.root
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	command.WaitDelay = time.Minute
	var complaint bytes.Buffer
	command.Stderr = &complaint
	err = command.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) && ctx.Err() == nil {
		err = nil
	}
	lines := strings.Split(strings.TrimSpace(complaint.String()), "\n")
	return command.ProcessState.ExitCode(), lines[len(lines)-1], err
}

// runPatience bounds one run of events-chaos.
const runPatience = 5 * time.Minute

// shown returns the first violation of a report, if its page shows it with what happened around.
func shown(dir string) (first finding, err error) {
	text, err := os.ReadFile(filepath.Join(dir, report.ResultFile))
	if err != nil {
		return first, err
	}
	var result report.Result
	if err := json.Unmarshal(text, &result); err != nil {
		return first, err
	}
	if len(result.Judgement.Violations) == 0 {
		return first, errors.New("the report names no violation")
	}
	first = finding{result.Judgement.Violations[0]}
	page, err := os.ReadFile(filepath.Join(dir, report.PageFile))
	if err != nil {
		return first, err
	}
	if !strings.Contains(html.UnescapeString(string(page)), "VIOLATION "+first.Invariant+": "+first.Says) {
		return first, errors.New("the page does not show the violation")
	}
	return first, nil
}

func (g *ground) binary(name string) string { return filepath.Join(g.root, "bin", name) }

func (g *ground) build(ctx context.Context, name string) error {
	command := exec.CommandContext(ctx, "go", "build", "-o", g.binary(name), "./cmd/"+name)
	command.Dir = g.root
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("build %s: %w\n%s", name, err, out)
	}
	return nil
}

// plain makes a name one of a directory.
func plain(r rune) rune {
	if r == ' ' || r == ',' || r == '\'' {
		return '-'
	}
	return r
}
