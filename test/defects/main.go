package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

func main() {
	chaos := flag.Bool("chaos", false, "look for defects from outside, with events-chaos")
	reports := flag.String("reports", "", "with -chaos: keep the reports in this directory")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	var err error
	if *chaos {
		err = seen(ctx, flag.Args(), *reports, os.Stdout)
	} else {
		err = score(ctx, flag.Args(), os.Stdout)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "defects:", err)
		os.Exit(1)
	}
}

// errSurvived is returned for a defect that was not noticed.
var errSurvived = errors.New("not all were noticed")

// score plants the defects whose names contain one of the words, and prints what
// noticed each.
func score(ctx context.Context, words []string, out io.Writer) error {
	root, err := copied(ctx)
	if err != nil {
		return err
	}
	defer os.RemoveAll(root)
	noticed, tried, before := 0, 0, map[suite][]string{}
	for _, d := range defects {
		if !wanted(d.name, words) || ctx.Err() != nil {
			continue
		}
		begun := time.Now()
		by, err := d.noticedBy(ctx, root, before)
		tried++
		mark := "SURVIVES"
		switch {
		case err != nil:
			mark, by = "FAILS", err.Error()
		case by != "":
			noticed++
			mark = "noticed"
		}
		fmt.Fprintf(out, "%-8s %4.0fs  %-34s %s\n", mark, time.Since(begun).Seconds(), d.name, by)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	fmt.Fprintf(out, "%d of %d defects noticed\n", noticed, tried)
	if noticed < tried {
		return errSurvived
	}
	return nil
}

// named returns the defect of a name.
func named(name string) (defect, error) {
	i := slices.IndexFunc(defects, func(d defect) bool { return d.name == name })
	if i < 0 {
		return defect{}, fmt.Errorf("no defect is called %q", name)
	}
	return defects[i], nil
}

func wanted(name string, words []string) bool {
	return len(words) == 0 || slices.ContainsFunc(words, func(word string) bool { return strings.Contains(name, word) })
}

// copied makes a copy of the repository that the working directory is in, as git
// knows it, with what is not committed.
func copied(ctx context.Context) (root string, err error) {
	top, err := exec.CommandContext(ctx, "git", "rev-parse", "--show-toplevel").Output()
	if err != nil {
		return "", fmt.Errorf("not in a git repository: %w", err)
	}
	from := strings.TrimSpace(string(top))
	command := exec.CommandContext(ctx, "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	command.Dir = from
	list, err := command.Output()
	if err != nil {
		return "", err
	}
	if root, err = os.MkdirTemp("", "events-defects-"); err != nil {
		return "", err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(list), "\x00"), "\x00") {
		if err := copyFile(filepath.Join(from, name), filepath.Join(root, name)); err != nil && !errors.Is(err, os.ErrNotExist) {
			return root, errors.Join(err, os.RemoveAll(root))
		}
	}
	return root, nil
}

func copyFile(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, text, 0o644)
}

// noticedBy plants a defect and runs its suites until one notices; it returns which,
// and which test; "" for none. before caches what fails without a defect.
func (d defect) noticedBy(ctx context.Context, root string, before map[suite][]string) (by string, err error) {
	for _, s := range d.suites {
		if _, known := before[s]; !known {
			before[s], _ = s.failures(ctx, root)
		}
		undo, err := d.plant(root)
		if err != nil {
			return "", err
		}
		var first []string
		if len(before[s]) == 0 {
			first = []string{"-failfast"} // one failure is enough
		}
		failed, built := s.failures(ctx, root, first...)
		if err := undo(); err != nil {
			return "", err
		}
		if !built {
			return "", errors.New("what is planted does not compile, which is no test of the tests")
		}
		for _, test := range failed {
			if !slices.Contains(before[s], test) {
				return s.packages() + " " + test, nil
			}
		}
	}
	return "", nil
}

// packages are those of a suite.
func (s suite) packages() string {
	packages, _, _ := strings.Cut(string(s), " -run ")
	return packages
}

// failures runs a suite and returns the tests that fail; a suite that panics or runs
// out of time fails as a whole. built is false where it does not compile.
func (s suite) failures(ctx context.Context, root string, flags ...string) (tests []string, built bool) {
	args := slices.Concat([]string{"test", "-timeout", "2m"}, flags, strings.Fields(string(s)))
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir = root
	out, err := command.CombinedOutput()
	text := string(out)
	if strings.Contains(text, "[build failed]") || strings.Contains(text, "[setup failed]") {
		return nil, false
	}
	for line := range strings.Lines(text) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "--- FAIL: "); ok {
			name, _, _ = strings.Cut(name, " ")
			tests = append(tests, name)
		}
	}
	if err != nil && (len(tests) == 0 || strings.Contains(text, "panic: ")) {
		tests = append(tests, "the suite did not end in order")
	}
	return tests, true
}
