package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/config"
)

// sink is what a log is written to: it may be stuck, and it may fail.
type sink struct {
	output
	stuck sync.Mutex // held: a write waits
	fails func(line string) (written int, err error)
}

func (s *sink) Write(line []byte) (int, error) {
	s.stuck.Lock()
	defer s.stuck.Unlock()
	if s.fails != nil {
		if n, err := s.fails(string(line)); err != nil {
			s.output.Write(line[:n])
			return n, err
		}
	}
	return s.output.Write(line)
}

// logTo returns a log to a sink, and ends it with the test.
func logTo(t *testing.T, s *sink, format string) *serviceLog {
	log := newServiceLog(s, config.Server{LogFormat: format})
	t.Cleanup(func() { log.out.close(patience) })
	return log
}

// In a log that keeps up every line is there, in order, before the process ends.
func TestLogKeepsItsLines(t *testing.T) {
	var s sink
	log := logTo(t, &s, "text")
	for i := range 3000 { // less than what may wait
		log.Info("line", "n", i)
	}
	log.out.close(patience)
	lines := strings.Split(strings.TrimSpace(s.String()), "\n")
	for i, line := range lines {
		if !strings.HasSuffix(line, fmt.Sprint(" n=", i)) {
			t.Fatalf("line %d is %s", i, line)
		}
	}
	if len(lines) != 3000 || log.out.dropped.Load() != 0 {
		t.Errorf("%d lines, %d dropped", len(lines), log.out.dropped.Load())
	}
}

// A log that is not read costs bounded memory and no time. Once it is read, a notice stands exactly
// where lines are missing.
func TestStuckLogDropsLinesAndNotesHowMany(t *testing.T) {
	var s sink
	log := logTo(t, &s, "json")
	s.stuck.Lock()
	const count = 3 * mostLogLines
	for i := range count { // would never end if one of them waited
		log.Info("line", "n", i)
	}
	dropped := log.out.dropped.Load()
	if kept := count - dropped; kept < mostLogLines/4 || kept > mostLogLines+1 {
		t.Errorf("%d lines wait", kept)
	}
	s.stuck.Unlock()
	log.out.flush(patience)
	log.Info("line", "n", count)
	log.out.flush(patience)
	var next, noted int64
	for line := range strings.Lines(s.String()) {
		var entry struct {
			Level string
			N     int64
			Lines int64
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if entry.Lines > 0 {
			noted += entry.Lines
			next += entry.Lines
			continue
		}
		if entry.N != next {
			t.Fatalf("line %d stands where line %d should", entry.N, next)
		}
		next++
	}
	if noted != dropped || next != count+1 {
		t.Errorf("%d lines were dropped and %d noted; the last line is %d", dropped, noted, next-1)
	}
}

// Few lines may be large, such as stacks: their bytes count.
func TestStuckLogIsBoundedInBytes(t *testing.T) {
	var s sink
	log := logTo(t, &s, "text")
	s.stuck.Lock()
	defer s.stuck.Unlock()
	for range 100 {
		log.Error("panic", "stack", strings.Repeat("x", 100<<10))
	}
	if dropped := log.out.dropped.Load(); dropped < 85 {
		t.Errorf("%d of 100 lines of 100 KB were dropped", dropped)
	}
}

// A disk that is full for a while, and a pipe whose reader has ended: each line that was not
// written is counted, and what was written in part does not spoil the line after it.
func TestFailedWritesAreCountedAndNoted(t *testing.T) {
	s := sink{fails: func(line string) (int, error) {
		if strings.Contains(line, "full") {
			return 10, errors.New("no space left on device")
		}
		return 0, nil
	}}
	log := logTo(t, &s, "text")
	for _, text := range []string{"before", "full", "full", "after"} {
		log.Info(text)
		log.out.flush(patience)
	}
	lines := strings.Split(strings.TrimSpace(s.String()), "\n")
	var got []string
	for _, line := range lines {
		for _, word := range []string{"before", "dropped", "after"} {
			if strings.Contains(line, word) && strings.HasPrefix(line, "time=") && strings.Contains(line, "level=") {
				got = append(got, word)
			}
		}
	}
	if log.out.dropped.Load() != 2 || strings.Join(got, " ") != "before dropped dropped after" {
		t.Errorf("%d dropped, %v:\n%s", log.out.dropped.Load(), got, s.String())
	}
}

// The end of the process does not wait for a log that is stuck.
func TestClosingAStuckLogDoesNotWaitForIt(t *testing.T) {
	var s sink
	log := logTo(t, &s, "text")
	s.stuck.Lock()
	log.Info("line")
	closed := make(chan struct{})
	go func() {
		log.out.close(time.Millisecond)
		close(closed)
	}()
	select {
	case <-closed:
	case <-time.After(patience):
		t.Error("it waits")
	}
	s.stuck.Unlock()
}

// A program that reads the log as JSON reads durations as people do.
func TestDurationsAreTextInJSON(t *testing.T) {
	var s sink
	log := logTo(t, &s, "json")
	log.Info("draining", "time", 1500*time.Millisecond)
	log.out.flush(patience)
	if !strings.Contains(s.String(), `"time":"1.5s"`) {
		t.Error(s.String())
	}
}

var _ io.Writer = (*lossy)(nil)
