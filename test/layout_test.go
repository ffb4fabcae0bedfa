// Package test holds the checks that belong to no package: here that the
// repository has the layout and the import table that its design promises.
package test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	module = "github.com/taskcluster/events-proxy"
	root   = ".."
)

// Foreign words with one address: replacing such a library is a change there
// and nowhere else. The value is a package, or one file of a package, or those
// whose names begin alike.
var homes = map[string]string{
	"github.com/rabbitmq/amqp091-go":      "actors/amqp/rabbitmq*.go",
	"github.com/asynkron/protoactor-go":   "actors",
	"github.com/julienschmidt/httprouter": "http/routes.go",
	"github.com/prometheus/client_golang": "http",
	"github.com/golang-jwt/jwt/v5":        "http/access",
	"github.com/go-jose/go-jose/v4":       "http/access",
	"github.com/spf13/pflag":              "config",
	"go.yaml.in/yaml/v3":                  "config",
	"github.com/itchyny/gojq":             "cmd/events/tail",
	"golang.org/x/term":                   "cmd/events",
	"github.com/Shopify/toxiproxy/v2":     "test",
	"github.com/rs/zerolog":               "test", // toxiproxy takes its logger
	"github.com/chromedp/chromedp":        "test",
	"github.com/chromedp/cdproto":         "test",
	"github.com/coder/websocket":          "test",
	"github.com/rogpeppe/go-internal":     "test",
	"github.com/tmaxmax/go-sse":           "test",
}

// What may stand anywhere: it brings no idea of its own.
var anywhere = []string{"golang.org/x/time", "golang.org/x/sys"}

// What any test may use beside what its package may.
var inTests = []string{"go.uber.org/goleak"}

// Which packages of ours a package's code may import; a missing line means
// none. A name stands for the folder and, with /..., for all below it.
var uses = map[string][]string{
	"actors":                        {"actors/amqp"},
	"actors/amqp/amqptest":          {"actors/amqp"},
	"actors/amqp/brokertest":        {"actors/amqp"},
	"actors/amqp/brokertest/rabbit": {"actors/amqp/brokertest/child"},
	"http":                          {"actors", "http/bindings", "http/sse", "http/inspector"},
	"http/access":                   {"actors", "actors/amqp"}, // and nothing of ours but cmd uses it: who does pays for its libraries
	"http/bindings":                 {"actors/amqp"},
	"test/chaos/check":              nil, // it judges a run without anything that made the run
	"cmd/events-chaos":              {"actors", "actors/amqp", "actors/amqp/brokertest/...", "http", "http/sse", "config", "test/..."},
	"cmd/...":                       {"cmd/...", "actors", "actors/amqp", "http", "http/access", "http/sse", "config"},
	"http/proxytest":                {"actors", "actors/amqp", "http"},
	"test/...":                      {"http/proxytest", "actors/amqp/brokertest/...", "actors", "actors/amqp", "http", "http/access", "http/sse", "test/..."},
}

// Parts of the standard library that would make a package know too much.
var never = map[string][]string{
	"actors":               {"net/http"},
	"actors/amqp":          {"net/http"},
	"actors/amqp/amqptest": {"net/http"},
	"config":               {"net/http"},
	"http/bindings":        {"net/http"},
}

// goPackage is what these checks need of the output of `go list -json`.
type goPackage struct {
	ImportPath, Dir                   string
	GoFiles, CgoFiles, IgnoredGoFiles []string
	TestGoFiles, XTestGoFiles         []string
}

func (p goPackage) name() string {
	return strings.TrimPrefix(strings.TrimPrefix(p.ImportPath, module), "/")
}

func (p goPackage) code() []string  { return slices.Concat(p.GoFiles, p.CgoFiles, p.IgnoredGoFiles) }
func (p goPackage) tests() []string { return slices.Concat(p.TestGoFiles, p.XTestGoFiles) }

func packages(t *testing.T) []goPackage {
	t.Helper()
	var stderr strings.Builder
	command := exec.Command("go", "list", "-json", "./...", "./test/...", "./cmd/events-chaos/...")
	command.Dir, command.Stderr = root, &stderr
	out, err := command.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var all []goPackage
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p goPackage
		if err := d.Decode(&p); err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func parse(t *testing.T, p goPackage, file string, mode parser.Mode) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.Dir, file), nil, mode)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func imports(t *testing.T, p goPackage, file string) []string {
	var paths []string
	for _, spec := range parse(t, p, file, parser.ImportsOnly).Imports {
		paths = append(paths, strings.Trim(spec.Path.Value, `"`))
	}
	return paths
}

// An import that the table does not allow is found with its file.
func TestEveryImportIsInTheTable(t *testing.T) {
	for _, p := range packages(t) {
		for _, file := range p.code() {
			for _, path := range imports(t, p, file) {
				if why := refuse(p.name(), file, path); why != "" {
					t.Errorf("%s/%s imports %s: %s", p.name(), file, path, why)
				}
			}
		}
		for _, file := range p.tests() {
			for _, path := range imports(t, p, file) {
				if why := refuseInTest(p.name(), path); why != "" {
					t.Errorf("%s/%s imports %s: %s", p.name(), file, path, why)
				}
			}
		}
	}
}

// refuse returns why a file of a package may not import path, and "" if it may.
func refuse(pkg, file, path string) string {
	switch {
	case path == module || strings.HasPrefix(path, module+"/"):
		if target := strings.TrimPrefix(path, module+"/"); !slices.ContainsFunc(usesOf(pkg), covers(target)) {
			return "a package of ours that is not among those it may use"
		}
	case !foreign(path):
		if slices.Contains(never[pkg], path) {
			return "this package never knows it"
		}
	default:
		return refuseForeign(pkg, pkg+"/"+file, path)
	}
	return ""
}

func refuseForeign(pkg, file, path string) string {
	home, known := homeOf(path)
	switch {
	case slices.ContainsFunc(anywhere, within(path)), known && (home == pkg || isHome(home, file)):
		return ""
	case below(pkg, "test") && (known || slices.ContainsFunc(inTests, within(path))):
		return ""
	case known:
		return "it lives only in " + home
	}
	return "it has no line in the table"
}

// refuseInTest is refuse for a package's tests: they may look at all of ours,
// and stay away from other packages' libraries all the same.
func refuseInTest(pkg, path string) string {
	if below(path, module) || !foreign(path) || slices.ContainsFunc(inTests, within(path)) {
		return ""
	}
	home, _ := homeOf(path)
	if file, isFile := strings.CutSuffix(home, ".go"); isFile && filepath.Dir(file) == pkg {
		return ""
	}
	return refuseForeign(pkg, "", path)
}

// isHome reports whether a file is a library's home, or one of those that are.
func isHome(home, file string) bool {
	match, err := filepath.Match(home, file)
	return err == nil && match
}

// homeOf returns the one address of the library that path belongs to.
func homeOf(path string) (home string, known bool) {
	for library, home := range homes {
		if below(path, library) {
			return home, true
		}
	}
	return "", false
}

func usesOf(pkg string) []string {
	if exact, ok := uses[pkg]; ok {
		return exact
	}
	for pattern, list := range uses {
		if dir, tree := strings.CutSuffix(pattern, "/..."); tree && below(pkg, dir) {
			return list
		}
	}
	return nil
}

// covers reports whether a line of the table allows target.
func covers(target string) func(string) bool {
	return func(line string) bool {
		dir, tree := strings.CutSuffix(line, "/...")
		return line == target || tree && below(target, dir)
	}
}

// within reports whether path is a package of a library.
func within(path string) func(string) bool {
	return func(library string) bool { return below(path, library) }
}

func below(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }

func foreign(path string) bool {
	host, _, _ := strings.Cut(path, "/")
	return strings.Contains(host, ".")
}

// Five folders carry the whole program; loose files may lie beside them, Go
// files may not.
func TestTopLevelHoldsFiveFolders(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	folders := []string{"actors", "http", "cmd", "config", "test"}
	unseen := []string{".git", ".ci", "bin", "artifacts"} // and what .gitignore keeps out
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() && !slices.Contains(folders, name) && !slices.Contains(unseen, name) {
			t.Errorf("%s: a folder beyond %v", name, folders)
		}
		if strings.HasSuffix(name, ".go") {
			t.Errorf("%s: a Go file in the root", name)
		}
	}
	for _, name := range append(folders, "go.mod", "go.sum", "go.work", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE", "Makefile", ".ci/run") {
		if _, err := os.Stat(filepath.Join(root, name)); err != nil {
			t.Errorf("%s is missing", name)
		}
	}
}

// A folder is named for what it knows, never for how it is shared.
func TestNoFolderIsNamedForNothing(t *testing.T) {
	filler := []string{"internal", "pkg", "util", "utils", "common", "helpers", "misc"}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.IsDir() {
			return err
		}
		if entry.Name() == "node_modules" || entry.Name() == ".git" {
			return filepath.SkipDir
		}
		if slices.Contains(filler, entry.Name()) {
			t.Errorf("%s says nothing about what is inside", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A program that was built stands in bin, and is no source: committed once, it is in every clone.
func TestNoProgramStandsAmongTheSources(t *testing.T) {
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && slices.Contains([]string{"node_modules", ".git", "bin", "artifacts"}, entry.Name()):
			return filepath.SkipDir
		case !entry.Type().IsRegular():
			return nil
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		head := make([]byte, 4)
		if n, _ := file.Read(head); string(head[:n]) == "\x7fELF" {
			t.Errorf("%s is a program", path)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Each package's documentation states what the package is for.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	for _, p := range packages(t) {
		documented := slices.ContainsFunc(slices.Concat(p.code(), p.tests()), func(file string) bool {
			return parse(t, p, file, parser.PackageClauseOnly|parser.ParseComments).Doc != nil
		})
		if !documented {
			t.Errorf("%s has no package comment", p.name())
		}
	}
}
