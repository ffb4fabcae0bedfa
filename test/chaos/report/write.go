package report

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/taskcluster/events-proxy/test/chaos/check"
)

// The files of a report.
const (
	HistoryFile = "history.ndjson"
	ResultFile  = "result.json"
	JUnitFile   = "junit.xml"
	PageFile    = "index.html"

	// LogsDir holds the logs of what was harmed, of a run that did not pass.
	LogsDir = "logs"
)

// Result is result.json.
type Result struct {
	Verdict   string          `json:"verdict"` // of the runner and the judge together
	Run       Run             `json:"run"`
	Judgement check.Judgement `json:"judgement"`
	Runner    any             `json:"runner,omitempty"` // the runner's own report
}

// Write reads the history in dir and writes the other files beside it. verdict is
// what the run ends with; runner is the runner's own report, or nil.
func Write(dir, verdict string, judgement check.Judgement, runner any) error {
	history, err := os.Open(filepath.Join(dir, HistoryFile))
	if err != nil {
		return err
	}
	defer history.Close()
	r, err := read(history)
	if err != nil {
		return fmt.Errorf("%s: %w", HistoryFile, err)
	}
	r.verdict, r.judgement, r.logs = verdict, judgement, logsIn(dir)
	text, err := json.MarshalIndent(Result{verdict, r.run, judgement, runner}, "", "\t")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, ResultFile), append(text, '\n'), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, JUnitFile), r.junit(), 0o644); err != nil {
		return err
	}
	page, err := r.page()
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, PageFile), page, 0o644)
}

// logsIn returns the logs that lie in a report's directory, by their paths in it.
func logsIn(dir string) (files []string) {
	found, _ := filepath.Glob(filepath.Join(dir, LogsDir, "*")) // its only error is of the pattern
	for _, file := range found {
		files = append(files, LogsDir+"/"+filepath.Base(file))
	}
	return files
}
