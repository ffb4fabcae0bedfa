package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// The program in the README compiles.
func TestReadmesProgramCompiles(t *testing.T) {
	_, rest, found := strings.Cut(contents(t, root+"/README.md"), "```go\n")
	program, _, ended := strings.Cut(rest, "```")
	if !found || !ended {
		t.Fatal("the README has no Go program")
	}
	file := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", os.DevNull, file)
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// Every file and every make target that the documents name is there.
func TestDocumentsNameWhatIsThere(t *testing.T) {
	makefile := contents(t, root+"/Makefile")
	folders := regexp.MustCompile("`((?:actors|http|cmd|config|test)/[^` …]*)`")
	links := regexp.MustCompile(`\]\(([^)#:]+)\)`)
	for _, document := range []string{"README.md", "CONTRIBUTING.md", "CHANGELOG.md", "test/README.md"} {
		text := contents(t, filepath.Join(root, document))
		for _, found := range folders.FindAllStringSubmatch(text, -1) {
			if matches, _ := filepath.Glob(filepath.Join(root, found[1])); len(matches) == 0 {
				t.Errorf("%s: there is no %s", document, found[1])
			}
		}
		for _, found := range links.FindAllStringSubmatch(text, -1) {
			if _, err := os.Stat(filepath.Join(root, filepath.Dir(document), found[1])); err != nil {
				t.Errorf("%s: %v", document, err)
			}
		}
		for _, found := range regexp.MustCompile("(?m)(?:^|`)make ([a-z]+)").FindAllStringSubmatch(text, -1) {
			if !strings.Contains(makefile, "\n"+found[1]+":") {
				t.Errorf("%s: there is no make %s", document, found[1])
			}
		}
	}
}

// The README explains every code that a client may receive.
func TestReadmeExplainsEveryCode(t *testing.T) {
	text := contents(t, root+"/README.md")
	for _, code := range actors.Codes {
		if !strings.Contains(text, "`"+string(code)+"`") {
			t.Errorf("%s is not explained", code)
		}
	}
}
