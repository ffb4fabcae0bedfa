package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/taskcluster/events-proxy/test/chaos/check"
	"github.com/taskcluster/events-proxy/test/chaos/history"
	"github.com/taskcluster/events-proxy/test/chaos/report"
)

// session is a run's history, and what is made of it in the end. A history is kept
// in any case, for the judge; with --report it stays.
type session struct {
	dir      string
	keep     bool
	file     *os.File
	recorder *history.Recorder
	logs     logs // kept where the run did not pass
}

// logs writes the logs of what was harmed into a directory; nil: there are none here.
type logs func(dir string) error

func newSession(dir string) (s *session, err error) {
	s = &session{dir: dir, keep: dir != ""}
	if s.keep {
		err = os.MkdirAll(dir, 0o755)
	} else {
		s.dir, err = os.MkdirTemp("", "events-chaos-")
	}
	if err != nil {
		return nil, err
	}
	if s.file, err = os.Create(filepath.Join(s.dir, report.HistoryFile)); err != nil {
		return nil, err
	}
	s.recorder = history.New(s.file)
	return s, nil
}

// conclude closes the history, has it judged, and writes the report. verdict is the
// runner's, runner its own report; failure is why the run itself was not done.
func (s *session) conclude(verdict string, runner any, failure error) error {
	defer s.remove()
	err := errors.Join(s.recorder.Close(), s.file.Close())
	if err != nil {
		return fmt.Errorf("%w: the history: %w", errUnproved, err)
	}
	judgement, err := judged(s.dir)
	if err != nil {
		failure = errors.Join(failure, fmt.Errorf("the judge: %w", err))
	}
	switch {
	case failure != nil && verdict != check.Fail:
		verdict = check.Unknown
		judgement.Unknown = append(judgement.Unknown, failure.Error())
	case verdict == check.Pass && judgement.Verdict != check.Pass:
		verdict = check.Unknown
		if judgement.Verdict == check.Fail {
			verdict = check.Fail
		}
	}
	if s.keep && verdict != check.Pass && s.logs != nil {
		if err := s.keepLogs(); err != nil {
			judgement.Unknown = append(judgement.Unknown, "the logs: "+err.Error())
		}
	}
	if s.keep {
		if err := report.Write(s.dir, verdict, judgement, runner); err != nil {
			return fmt.Errorf("%w: the report: %w", errUnproved, err)
		}
	}
	return outcome(verdict, judgement, failure)
}

// outcome is the error that a verdict is, nil for a pass.
func outcome(verdict string, j check.Judgement, failure error) error {
	switch {
	case verdict == check.Pass:
		return nil
	case failure != nil && verdict == check.Unknown:
		return fmt.Errorf("%w: %w", errUnproved, failure)
	case verdict == check.Unknown:
		why := errors.New("the runner and the judge of the history disagree")
		if len(j.Unknown) > 0 {
			why = errors.New(j.Unknown[0])
		}
		return fmt.Errorf("%w: %w", errUnproved, why)
	case failure != nil:
		return failure
	case len(j.Violations) > 0:
		return fmt.Errorf("%d violations; the first: %s: %s", len(j.Violations), j.Violations[0].Invariant, j.Violations[0].Says)
	}
	return errors.New("a claim does not hold")
}

func (s *session) keepLogs() error {
	dir := filepath.Join(s.dir, report.LogsDir)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return err
	}
	return s.logs(dir)
}

func (s *session) remove() {
	if !s.keep {
		os.RemoveAll(s.dir)
	}
}

// judged has the history in a directory judged.
func judged(dir string) (check.Judgement, error) {
	file, err := os.Open(filepath.Join(dir, report.HistoryFile))
	if err != nil {
		return check.Judgement{Verdict: check.Unknown}, err
	}
	defer file.Close()
	return check.Judge(file)
}
