package chaos_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/test/chaos"
	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/history"
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

// A script in which nothing of its own is judged in the mode that it is played in is unknown, not a
// pass, with the reason: what is clean in the end was never used.
func TestAScriptThatJudgesNothingIsUnknown(t *testing.T) {
	for name, c := range map[string]struct {
		text, verdict, says string
	}{
		"its claims are of another mode": {"[shared] connect ada exchange/tc/task '#'\n[shared] expect ada ready\n", chaos.Unknown, "no claim of its own was judged"},
		"it judges":                      {"connect ada exchange/tc/task '#'\nexpect ada ready\nleave ada\n", chaos.Pass, ""},
		"a command of the engine fails":  {"exists nowhere.txt\n", chaos.Fail, "see the transcript"},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "x.txt")
			must(t, os.WriteFile(file, []byte("# a script of one mode\n"+c.text+"expect broker clean\nexpect process clean\n"), 0o600))
			var lines bytes.Buffer
			recorder := history.New(&lines)
			recorder.Add(history.Run{Version: 1, Mode: "scripts"})
			var result chaos.Result
			chaos.Play(t.Context(), script.Params{Brokers: script.Memory(), Proxy: script.Local}, []string{file}, recorder, func(r chaos.Result) { result = r })
			recorder.Add(history.Verdict{Verdict: result.Verdict})
			must(t, recorder.Close())
			if result.Verdict != c.verdict || !strings.Contains(result.Reason, c.says) {
				t.Errorf("%s: %s\n%s", result.Verdict, result.Reason, result.Transcript)
			}
			if judgement, err := check.Judge(&lines); err != nil || judgement.Verdict != c.verdict || len(judgement.Disagrees) > 0 {
				t.Errorf("the judge: %+v, %v", judgement, err)
			}
		})
	}
}
