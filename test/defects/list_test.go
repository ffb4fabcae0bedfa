package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go/parser"
	"go/token"
)

const root = "../.."

// The product moves on, and each defect with it: its text stands in the product once,
// and what is planted is Go.
func TestEveryDefectCanStillBePlanted(t *testing.T) {
	names := map[string]bool{}
	for _, d := range defects {
		if names[d.name] || d.name == "" || d.means == "" || len(d.suites) == 0 {
			t.Errorf("%q: a name of its own, a meaning and suites are needed", d.name)
		}
		names[d.name] = true
		sound, err := os.ReadFile(filepath.Join(root, d.file))
		if err != nil {
			t.Error(err)
			continue
		}
		text, err := d.planted(string(sound))
		if err != nil {
			t.Error(err)
			continue
		}
		if _, err := parser.ParseFile(token.NewFileSet(), d.file, text, 0); err != nil {
			t.Errorf("%s: %v", d.name, err)
		}
	}
	if len(defects) < 20 {
		t.Errorf("%d defects are too few", len(defects))
	}
}

// What is looked for from outside is a defect of the list, and its run is one that others can make.
func TestEverySightingIsOfADefectAndHasARun(t *testing.T) {
	for _, s := range sightings {
		if _, err := named(s.defect); err != nil {
			t.Error(err)
		}
		if strings.HasPrefix(s.run, "--") {
			continue
		}
		if _, err := os.Stat(filepath.Join(root, s.run)); err != nil {
			t.Error(err)
		}
	}
	if len(sightings) < 10 {
		t.Errorf("%d sightings are too few", len(sightings))
	}
}

// A report that names a violation, and a page that does not show it, shows nothing.
func TestAReportShowsItsFirstViolationOnItsPage(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("result.json", `{"verdict":"fail","judgement":{"violations":[{"t":1.5,"invariant":"one-code","stream":7,"says":"it ended with \"\""}]}}`)
	write("index.html", "<p>VIOLATION one-code: it ended with &#34;&#34;</p>")
	if first, err := shown(dir); err != nil || first.Invariant != "one-code" || first.String() != `it ended with "" (stream 7)` {
		t.Errorf("%v %v", first, err)
	}
	write("index.html", "<p>all is well</p>")
	if _, err := shown(dir); err == nil {
		t.Error("a page without the violation shows it")
	}
	write("result.json", `{"verdict":"fail","judgement":{"violations":[]}}`)
	if _, err := shown(dir); err == nil {
		t.Error("a report without a violation shows one")
	}
}

// What is planted is taken out again, so that the next defect stands alone.
func TestADefectIsUndone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "x.go")
	if err := os.WriteFile(file, []byte("package x\n\nvar sound = true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := defect{name: "x", file: "x.go", from: "true", to: "false"}
	undo, err := d.plant(dir)
	if err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); string(text) != "package x\n\nvar sound = false\n" {
		t.Errorf("planted: %s", text)
	}
	if err := undo(); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(file); string(text) != "package x\n\nvar sound = true\n" {
		t.Errorf("undone: %s", text)
	}
	d.from = "nowhere"
	if _, err := d.plant(dir); err == nil {
		t.Error("what is not there was replaced")
	}
}
