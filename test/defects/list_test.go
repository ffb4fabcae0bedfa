package main

import (
	"os"
	"path/filepath"
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
