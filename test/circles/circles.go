// Command circles measures how far a package's files know each other in circles: file A knows
// file B where A uses a name that B declares; a method counts as declared where its receiver is.
// The files of a circle can only be understood together, so the largest one says where a reader
// can start. For each package of the table it prints the largest circle, and exits with 1 where
// one is over its limit.
//
//	go run ./test/circles
package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const module = "github.com/taskcluster/events-proxy"

// limits has the greatest number of files that may stand in one circle of a package.
var limits = []struct {
	folder string
	most   int
}{
	{"actors", 6},
	{"http", 6},
}

func main() {
	ok := true
	for _, limit := range limits {
		files, err := read(limit.folder)
		if err != nil {
			fmt.Fprintln(os.Stderr, "circles:", err)
			os.Exit(2)
		}
		circle := files.largestCircle()
		fmt.Printf("%s: %d of %d files in the largest circle (limit %d): %s\n",
			limit.folder, len(circle), len(files), limit.most, strings.Join(circle, " "))
		ok = ok && len(circle) <= limit.most
	}
	if !ok {
		os.Exit(1)
	}
}

// graph has the files of a package, each with the other files that it knows.
type graph map[string]map[string]bool

// read type-checks the package in a folder of this module, without its tests, and returns which
// of its files know which. The go command must find the module from the working directory.
func read(folder string) (graph, error) {
	listed, err := list(module + "/" + folder)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	var parsed []*ast.File
	for _, name := range listed.files {
		file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		parsed = append(parsed, file)
	}
	info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(set, "gc", listed.open)}
	pkg, err := config.Check(module+"/"+folder, set, parsed, info)
	if err != nil {
		return nil, err
	}
	return newGraph(set, parsed, pkg, info), nil
}

func newGraph(set *token.FileSet, files []*ast.File, pkg *types.Package, info *types.Info) graph {
	name := func(at token.Pos) string { return filepath.Base(set.Position(at).Filename) }
	g := graph{}
	for _, file := range files {
		g[name(file.Package)] = map[string]bool{}
	}
	for used, object := range info.Uses {
		if object.Pkg() != pkg {
			continue
		}
		if _, isPackage := object.(*types.PkgName); isPackage {
			continue
		}
		if user, declarer := name(used.Pos()), name(declaredAt(object)); user != declarer {
			g[user][declarer] = true
		}
	}
	return g
}

// declaredAt returns where an object counts as declared.
func declaredAt(object types.Object) token.Pos {
	method, ok := object.(*types.Func)
	if !ok || method.Signature().Recv() == nil {
		return object.Pos()
	}
	receiver := method.Signature().Recv().Type()
	if pointer, ok := receiver.(*types.Pointer); ok {
		receiver = pointer.Elem()
	}
	if named, ok := receiver.(*types.Named); ok {
		return named.Obj().Pos()
	}
	return object.Pos()
}

// largestCircle returns the files of the largest set in which each file knows, over others of the
// set, every other one, in order of their names. Without a circle it is a single file.
func (g graph) largestCircle() []string {
	var largest []string
	for _, file := range g.names() {
		if circle := g.circleOf(file); len(circle) > len(largest) {
			largest = circle
		}
	}
	return largest
}

// circleOf returns the files that a file reaches and that reach it, itself among them.
func (g graph) circleOf(file string) []string {
	var circle []string
	reached := g.reach(file)
	for _, other := range g.names() {
		if other == file || (reached[other] && g.reach(other)[file]) {
			circle = append(circle, other)
		}
	}
	return circle
}

func (g graph) reach(file string) map[string]bool {
	reached := map[string]bool{}
	for next := []string{file}; len(next) > 0; next = next[1:] {
		for known := range g[next[0]] {
			if !reached[known] {
				reached[known] = true
				next = append(next, known)
			}
		}
	}
	return reached
}

func (g graph) names() []string {
	names := make([]string, 0, len(g))
	for name := range g {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// listing is what the go command knows of a package: its files, and the compiled form of every
// package that it depends on.
type listing struct {
	files    []string
	compiled map[string]string
}

func list(path string) (listing, error) {
	const format = `{{.ImportPath}}|{{.Export}}|{{if not .DepOnly}}{{$dir := .Dir}}{{range .GoFiles}}{{$dir}}/{{.}}|{{end}}{{end}}`
	out, err := exec.Command("go", "list", "-export", "-deps", "-f", format, path).Output()
	if err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			err = fmt.Errorf("%w: %s", err, failed.Stderr)
		}
		return listing{}, fmt.Errorf("go list %s: %w", path, err)
	}
	l := listing{compiled: map[string]string{}}
	for line := range strings.Lines(string(out)) {
		fields := strings.Split(strings.TrimRight(line, "|\n"), "|")
		if fields[0] == path {
			l.files = fields[2:]
		} else if len(fields) > 1 {
			l.compiled[fields[0]] = fields[1]
		}
	}
	return l, nil
}

// open returns, for the importer, the compiled form of a package.
func (l listing) open(path string) (io.ReadCloser, error) {
	file, ok := l.compiled[path]
	if !ok {
		return nil, fmt.Errorf("package %s is not compiled", path)
	}
	return os.Open(file)
}
