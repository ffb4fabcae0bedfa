package script

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// T makes a test a testscript.T, so that scripts are its subtests.
func T(t *testing.T) testscript.T { return test{t} }

type test struct{ *testing.T }

// Run runs a subtest.
func (t test) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { f(test{t}) })
}

// Verbose is what go test was asked for.
func (test) Verbose() bool { return testing.Verbose() }
