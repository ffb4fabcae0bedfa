package random

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// ReadSchedule returns the schedule in a JSON file, or the harms that were asked
// for in the history of a report's directory.
func ReadSchedule(path string) ([]Step, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return asked(filepath.Join(path, "history.ndjson"))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var steps []Step
	if err := json.Unmarshal(text, &steps); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return steps, checked(steps, path)
}

// asked reads the harms of a history; their times count from the first harm's phase.
func asked(path string) (steps []Step, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	begun := 0.0
	for lines.Scan() {
		var l struct {
			T          float64
			Kind, Name string
			Client     int
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		switch {
		case l.Kind == "phase" && l.Name == "harm":
			begun = l.T
		case l.Kind == "asked":
			steps = append(steps, Step{At: time.Duration((l.T - begun) * float64(time.Second)), Name: l.Name, Client: max(0, l.Client)})
		}
	}
	return steps, errors.Join(lines.Err(), checked(steps, path))
}

func checked(steps []Step, path string) error {
	if len(steps) == 0 {
		return fmt.Errorf("%s has no harms", path)
	}
	for _, s := range steps {
		if s.Name == "" || s.At < 0 || s.Client < 0 {
			return fmt.Errorf("%s: a step needs a name, and a time and a client that are not negative: %+v", path, s)
		}
	}
	return nil
}
