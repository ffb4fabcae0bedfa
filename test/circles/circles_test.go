package main

import (
	"slices"
	"testing"
)

// A package whose files all know each other has no file that a reader can start with.
func TestNoCircleOfFilesIsOverItsLimit(t *testing.T) {
	for _, limit := range limits {
		files, err := read(limit.folder)
		if err != nil {
			t.Fatal(err)
		}
		if circle := files.largestCircle(); len(circle) > limit.most {
			t.Errorf("%s: %d files know each other, at most %d may: %v", limit.folder, len(circle), limit.most, circle)
		}
	}
}

// The limits mean something only where the largest circle is found, and no file that merely knows
// it, or is known by it, counts.
func TestTheLargestCircleIsFound(t *testing.T) {
	knows := func(files ...string) map[string]bool {
		known := map[string]bool{}
		for _, file := range files {
			known[file] = true
		}
		return known
	}
	g := graph{
		"above": knows("a"), "a": knows("b"), "b": knows("c"), "c": knows("a", "below"), "below": knows(),
		"x": knows("y"), "y": knows("x", "above"),
	}
	if circle := g.largestCircle(); !slices.Equal(circle, []string{"a", "b", "c"}) {
		t.Errorf("the circle is %v", circle)
	}
	if circle := (graph{"alone": knows()}).largestCircle(); !slices.Equal(circle, []string{"alone"}) {
		t.Errorf("the circle of one file is %v", circle)
	}
}

// A method stands where its receiver is declared: a type whose methods fill several files is one
// thing to know.
func TestAMethodCountsWhereItsReceiverIs(t *testing.T) {
	files, err := read("test/circles/testdata/methods")
	if err != nil {
		t.Fatal(err)
	}
	if !files["caller.go"]["receiver.go"] || files["caller.go"]["method.go"] {
		t.Errorf("the caller knows %v", files["caller.go"])
	}
	if !files["method.go"]["receiver.go"] {
		t.Errorf("the method's file knows %v", files["method.go"])
	}
}
