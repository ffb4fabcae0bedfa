package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"testing"
)

// The wall clock steps: it is set, by hand or by a time server that starts late. A time that is
// kept as a number, or without its monotonic part, and compared with now makes an hour of that:
// streams were cut for being idle. What is written for people to read is another matter.
func TestNoTimeIsKeptWithoutItsMonotonicPart(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.ContainsFunc([]string{"actors", "http"}, func(folder string) bool { return below(p.name(), folder) }) ||
			below(p.name(), "actors/amqp/brokertest") { // it is for tests
			continue
		}
		for _, file := range p.code() {
			set := token.NewFileSet()
			parsed, err := parser.ParseFile(set, filepath.Join(p.Dir, file), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range wallClock(parsed) {
				t.Errorf("%s keeps a time of the wall clock", set.Position(at))
			}
		}
	}
}

// wallClock returns where a file turns times into what has lost the monotonic part, other than to
// format them.
func wallClock(file *ast.File) (found []token.Pos) {
	formatted := map[ast.Expr]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		method, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		switch method.Sel.Name {
		case "Format", "AppendFormat":
			formatted[method.X] = true
		case "Unix", "UnixMilli", "UnixMicro", "UnixNano":
			found = append(found, call.Pos())
		case "UTC", "Local", "In":
			if !formatted[call] {
				found = append(found, call.Pos())
			}
		}
		return true
	})
	return found
}

func TestTimesOfTheWallClockAreFound(t *testing.T) {
	const source = `package p
func f() {
	a := time.Now().UnixNano()
	b := time.Unix(0, a)
	c := time.Now().UTC()
	_ = time.Now().UTC().Format("x")
	_ = time.Now().Sub(d)
}`
	file, err := parser.ParseFile(token.NewFileSet(), "p.go", source, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	if found := wallClock(file); len(found) != 3 {
		t.Errorf("%d were found, want 3", len(found))
	}
}
