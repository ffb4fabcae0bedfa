package inspector

import (
	"regexp"
	"slices"
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// A person whose stream ended is told why and what to do next, whatever the code; an operator reads
// what each code means.
func TestEveryCodeIsExplained(t *testing.T) {
	reader := codesIn(t, "inspector/failures.js")
	if !slices.Equal(reader, actors.Codes) {
		t.Errorf("the inspector explains %v, a stream ends with %v", reader, actors.Codes)
	}
	ends := append(slices.Clone(actors.Codes), actors.ClientGone, actors.Draining, actors.AtCapacity, actors.TooManyStreams, actors.TooManyConnects)
	for _, code := range codesIn(t, "operator/ends.js") {
		if !slices.Contains(ends, code) {
			t.Errorf("the operator's page explains %s, which no stream ends with", code)
		}
		ends = slices.DeleteFunc(ends, func(c actors.Code) bool { return c == code })
	}
	if len(ends) > 0 {
		t.Errorf("the operator's page does not explain %v", ends)
	}
}

// codesIn returns the keys of the object named codes of a module, in order.
func codesIn(t *testing.T, module string) (codes []actors.Code) {
	t.Helper()
	block := regexp.MustCompile(`(?ms)^const codes = \{$(.*?)^\};$`).FindSubmatch(asset(module))
	if block == nil {
		t.Fatalf("%s has no object named codes", module)
	}
	for _, key := range regexp.MustCompile(`(?m)^  (\w+): [\[{]`).FindAllSubmatch(block[1], -1) {
		codes = append(codes, actors.Code(key[1]))
	}
	return codes
}
