package browser

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"
)

// Suite is what the tests of one page share: a browser, in which every test
// opens tabs of its own, and the accessibility checker axe-core.
//
//	var suite = browser.Suite{Artifacts: "../../artifacts/operator"}
//
//	func TestMain(m *testing.M) { os.Exit(suite.Main(m)) }
type Suite struct {
	Artifacts string // the folder for pictures, for people to look at

	// Misread is JavaScript that is true where axe-core holds a violation v
	// against a node n of the page without reason; default: never.
	Misread string

	chromium context.Context
	axe      string // its source
}

// violations returns a sentence for each rule that is broken. %s is Misread.
const violations = `axe.run().then((result) => result.violations
	.map((v) => ({...v, nodes: v.nodes.filter((n) => !(%s))}))
	.filter((v) => v.nodes.length > 0)
	.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html).slice(0, 3).join(' | ')))`

// Main runs the tests of a package, ends the browser and looks for goroutines
// that are left. It returns the exit status.
func (s *Suite) Main(m *testing.M) int {
	status, err := s.run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return status
}

func (s *Suite) run(m *testing.M) (status int, err error) {
	if s.axe, err = readAxe("../inspector"); err != nil {
		return 0, err
	}
	profile, err := os.MkdirTemp("", "events-chromium-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(profile)
	var stop func()
	if s.chromium, stop, err = Start(context.Background(), profile); err != nil {
		return 0, err
	}
	status = m.Run()
	stop()
	return status, goleak.Find()
}

// readAxe reads the accessibility checker, which the inspector's tests pin; npm
// brings it where make has not.
func readAxe(project string) (string, error) {
	path := project + "/node_modules/axe-core/axe.min.js"
	if _, err := os.Stat(path); err != nil {
		npm := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		npm.Dir = project
		if out, err := npm.CombinedOutput(); err != nil {
			return "", fmt.Errorf("axe-core is missing, and npm ci failed: %w\n%s", err, out)
		}
	}
	source, err := os.ReadFile(path)
	return string(source), err
}

// Inspect keeps a picture of the page, once nothing moves in it, and lets
// axe-core look at it.
func (b *Tab) Inspect(name string) {
	b.T.Helper()
	b.Await(`document.getAnimations().every((a) => a.playState === 'finished' || a.effect.getTiming().iterations === Infinity)`)
	picture, err := chromedp.Run(b.Context, chromedp.CaptureScreenshot())
	if err != nil {
		b.T.Fatal(err)
	}
	b.suite.Keep(b.T, name+".png", picture)
	b.Do(chromedp.Evaluate[chromedp.Void](b.suite.axe + "\n;undefined"))
	for _, violation := range Value[[]string](b, fmt.Sprintf(violations, cmp.Or(b.suite.Misread, "false"))) {
		b.T.Errorf("%s: %s", name, violation)
	}
}

// Keep leaves a picture, or another artefact, for people to look at.
func (s *Suite) Keep(t *testing.T, name string, content []byte) {
	t.Helper()
	if err := os.MkdirAll(s.Artifacts, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.Artifacts, name), content, 0o644); err != nil {
		t.Fatal(err)
	}
}
