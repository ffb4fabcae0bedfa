// Package browser drives real browsers, Chromium and Firefox: their own
// EventSource is the client that the product is made for, and nothing imitates
// it well.
package browser

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
	"go.uber.org/goleak"

	"github.com/taskcluster/events-proxy/test/browser/firefox"
)

// Suite is what the tests of a package share: the browsers, in which every test
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
	firefox  func() (*firefox.Browser, error) // starts it when it is first asked for
}

// violations returns a sentence for each rule that is broken. %s is Misread.
const violations = `axe.run().then((result) => result.violations
	.map((v) => ({...v, nodes: v.nodes.filter((n) => !(%s))}))
	.filter((v) => v.nodes.length > 0)
	.map((v) => v.id + ': ' + v.help + ': ' + v.nodes.map((n) => n.html).slice(0, 3).join(' | ')))`

// Main runs the tests of a package, ends the browsers and looks for goroutines
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
	profiles := [2]string{}
	for i := range profiles {
		if profiles[i], err = os.MkdirTemp("", "events-browser-"); err != nil {
			return 0, err
		}
		defer os.RemoveAll(profiles[i])
	}
	end := func() error { return nil }
	s.firefox = sync.OnceValues(func() (*firefox.Browser, error) {
		b, err := firefox.Start(context.Background(), profiles[0])
		if err == nil {
			end = b.Stop
		}
		return b, err
	})
	var stop func()
	if s.chromium, stop, err = Start(context.Background(), profiles[1]); err != nil {
		return 0, err
	}
	status = m.Run()
	stop()
	if err := end(); err != nil {
		return 0, err
	}
	return status, goleak.Find()
}

// Browser is one of those that a claim is to hold in.
type Browser struct {
	Name string
	// Open makes a tab in a profile of its own, with nothing to see yet. A page
	// that throws, or breaks its own Content-Security-Policy, fails the test.
	Open func(*testing.T) *Tab
}

// Browsers returns all of them.
func (s *Suite) Browsers() []Browser {
	return []Browser{s.Chromium(), s.Firefox()}
}

// Chromium returns the one for claims that need no other.
func (s *Suite) Chromium() Browser { return Browser{"Chromium", s.Open} }

// Firefox returns the one that takes a test's own certificates.
func (s *Suite) Firefox() Browser { return Browser{"Firefox", s.openFirefox} }

// Everywhere holds a claim in each browser.
func (s *Suite) Everywhere(t *testing.T, claim func(*testing.T, Browser)) {
	for _, in := range s.Browsers() {
		t.Run(in.Name, func(t *testing.T) { claim(t, in) })
	}
}

// Open makes a tab in Chromium, for claims that no other browser need repeat.
func (s *Suite) Open(t *testing.T) *Tab {
	t.Helper()
	return s.openChromium(t, s.chromium, chromedp.WithNewBrowserContext())
}

func (s *Suite) openChromium(t *testing.T, in context.Context, options ...chromedp.ContextOption) *Tab {
	t.Helper()
	b := s.newTab(t)
	tab, end, err := openChromium(in, b.complain, options...)
	t.Cleanup(end)
	if err != nil {
		t.Fatal(err)
	}
	b.Context = tab
	b.beside = func(t *testing.T) *Tab { return s.openChromium(t, tab) }
	return b.begin(chromiumPage{})
}

func (s *Suite) openFirefox(t *testing.T) *Tab {
	t.Helper()
	running, err := s.firefox()
	if err != nil {
		t.Fatal(err)
	}
	return s.openFirefoxIn(t, running.Open)
}

// openFirefoxIn makes a tab by Browser.Open or Page.Beside.
func (s *Suite) openFirefoxIn(t *testing.T, open func(context.Context, func(string)) (*firefox.Page, error)) *Tab {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	b := s.newTab(t)
	p, err := open(ctx, b.complain)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), Patience)
		defer cancel()
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	b.beside = func(t *testing.T) *Tab { return s.openFirefoxIn(t, p.Beside) }
	return b.begin(p)
}

// axe is the source of the accessibility checker.
var axe = sync.OnceValues(func() (string, error) { return readAxe("../inspector") })

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
	source, err := axe()
	if err != nil {
		b.T.Fatal(err)
	}
	b.Await(`document.getAnimations().every((a) => a.playState === 'finished' || a.effect.getTiming().iterations === Infinity)`)
	b.suite.Keep(b.T, name+".png", b.Picture())
	b.Run("(() => {" + source + "\n})()")
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
