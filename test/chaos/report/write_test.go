package report_test

import (
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/report"
)

// history is a run in which stream 1 lost message 2.
const history = `{"t":0,"kind":"run","version":1,"mode":"random","started":"2026-11-25T18:36:00Z","command":"events-chaos run --random 2 --seed 7","seed":7,"clients":1,"seconds":2,"patience":5,"environment":{"kernel":"Linux 6.1","proxy":"v1.2.3 <b>"}}
{"t":0,"kind":"phase","name":"before"}
{"t":0.1,"kind":"sample","streams":0,"resident":30000000,"goroutines":10}
{"t":0.1,"kind":"census","queues":0}
{"t":0.1,"kind":"harmkind","name":"link-cut","does":"the connections are cut","scope":"all"}
{"t":0.2,"kind":"open","client":0,"stream":1,"status":200}
{"t":0.3,"kind":"ready","stream":1}
{"t":0.4,"kind":"publish","n":1,"took":0.01,"confirmed":true}
{"t":0.5,"kind":"publish","n":2,"took":0.01,"confirmed":true}
{"t":0.6,"kind":"publish","n":3,"took":0.01,"confirmed":true}
{"t":0.45,"kind":"messages","stream":1,"from":1,"at":[0]}
{"t":0.65,"kind":"messages","stream":1,"from":3,"at":[0]}
{"t":1,"kind":"phase","name":"harm"}
{"t":1,"kind":"asked","harm":1,"name":"link-cut","scope":"all","client":-1,"group":-1,"codes":["BrokerLost"]}
{"t":1.1,"kind":"seen","harm":1,"sign":"the proxy counts 1 links lost"}
{"t":1.1,"kind":"error","stream":1,"code":"BrokerLost","retryable":true}
{"t":1.1,"kind":"end","stream":1,"how":"order"}
{"t":1.2,"kind":"failure","role":"broker","decision":"restarted","reason":"x","account":"log"}
{"t":1.5,"kind":"asked","harm":2,"name":"link-cut","scope":"all","client":-1,"group":-1}
{"t":1.6,"kind":"undone","harm":2,"reason":"no sign of it"}
{"t":2,"kind":"sample","streams":0,"resident":40000000,"goroutines":10}
{"t":2,"kind":"census","queues":0}
{"t":2,"kind":"verdict","verdict":"fail"}
`

// The page alone tells what was done, what was found and how to repeat it, and asks
// nothing of any network.
func TestThePageTellsAllByItself(t *testing.T) {
	page := written(t, history)[report.PageFile]
	for _, says := range []string{
		"events-chaos run --random 2 --seed 7", "Linux 6.1", "v1.2.3 &lt;b&gt;", "message 2 was lost before 3",
		"VIOLATION complete", "stream 1 is ready", "no sign of it", "the proxy counts 1 links lost", "broker restarted",
		"prefers-color-scheme: dark", "@media print", `<svg viewBox`, "the connections are cut",
		`href="logs/node-0.log"`,
	} {
		if !strings.Contains(page, says) {
			t.Errorf("%q is not on the page", says)
		}
	}
	if found := regexp.MustCompile(`(?i)<script|https?://|<link|@import|url\(`).FindString(page); found != "" {
		t.Errorf("the page is not by itself: %s", found)
	}
}

// A build server sees which claim did not hold, and why.
func TestJUnitNamesTheClaimThatDoesNotHold(t *testing.T) {
	var suite struct {
		Tests    int `xml:"tests,attr"`
		Failures int `xml:"failures,attr"`
		Cases    []struct {
			Name    string `xml:"name,attr"`
			Failure *struct {
				Message string `xml:"message,attr"`
			} `xml:"failure"`
		} `xml:"testcase"`
	}
	if err := xml.Unmarshal([]byte(written(t, history)[report.JUnitFile]), &suite); err != nil {
		t.Fatal(err)
	}
	if suite.Tests != len(suite.Cases) || suite.Failures < 2 {
		t.Errorf("%+v", suite)
	}
	for _, c := range suite.Cases {
		if strings.HasPrefix(c.Name, "complete: ") && (c.Failure == nil || !strings.Contains(c.Failure.Message, "message 2 was lost")) {
			t.Errorf("%+v", c)
		}
	}
}

// A pass of which a claim was not judged does not read as if every claim had been.
func TestAPassSaysWhatWasNotJudged(t *testing.T) {
	for verdict, want := range map[string]string{"skipped": "Not judged: 1", "pass": "Every claim was tried and held"} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, report.HistoryFile), []byte(history), 0o600); err != nil {
			t.Fatal(err)
		}
		judgement := check.Judgement{Verdict: check.Pass, Invariants: []check.Invariant{{Name: "memory", Verdict: verdict}, {Name: "served", Verdict: check.Pass}}}
		if err := report.Write(dir, check.Pass, judgement, nil); err != nil {
			t.Fatal(err)
		}
		if page, err := os.ReadFile(filepath.Join(dir, report.PageFile)); err != nil || !strings.Contains(string(page), want) {
			t.Errorf("%s: %q is not on the page (%v)", verdict, want, err)
		}
	}
}

// A history that cannot be read makes no report.
func TestWhatIsNoHistoryMakesNoReport(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, report.HistoryFile), []byte("nonsense\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := report.Write(dir, check.Unknown, check.Judgement{}, nil); err == nil || !strings.Contains(err.Error(), "line 1") {
		t.Errorf("got %v", err)
	}
}

// Of a crowd to which the same happens one line is shown around a violation, so that the harms beside
// it are in sight.
func TestACrowdIsOneLineAroundAViolation(t *testing.T) {
	var crowd strings.Builder
	for stream := range 100 {
		fmt.Fprintf(&crowd, `{"t":0.605,"kind":"open","client":%d,"stream":%d,"status":200}`+"\n", 7+stream, 7+stream)
	}
	const before = `{"t":0.65,"kind":"messages"`
	page := written(t, strings.Replace(history, before, crowd.String()+before, 1))[report.PageFile]
	for _, says := range []string{"client 7 opened stream 7, and 99 others", "harm 1 asked: link-cut", "stream 1 was told BrokerLost"} {
		if !strings.Contains(page, says) {
			t.Errorf("%q is not on the page", says)
		}
	}
}

func written(t *testing.T, history string) map[string]string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, report.HistoryFile), []byte(history), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, report.LogsDir), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, report.LogsDir, "node-0.log"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	judgement, err := check.Judge(strings.NewReader(history))
	if err != nil {
		t.Fatal(err)
	}
	if err := report.Write(dir, check.Fail, judgement, nil); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, name := range []string{report.ResultFile, report.JUnitFile, report.PageFile} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = string(text)
	}
	return files
}
