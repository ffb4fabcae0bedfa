package chaos_test

import (
	"context"
	"testing"

	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/script"
)

// A signal calls off the scripts that have not begun, and they count as not passed.
func TestScriptsThatAreCalledOffHaveNotPassed(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	passed := chaos.Play(ctx, script.Params{}, scripts(t), nil, func(r chaos.Result) { t.Errorf("%s was played", r.Script) })
	if passed {
		t.Error("scripts that were not played have passed")
	}
}
