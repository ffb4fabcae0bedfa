package access

import (
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"time"
)

// lookAgain is how often at most a request makes the files be looked at.
const lookAgain = time.Second

// files are where keys come from. They are read again when they have changed, as tools that rotate
// keys change them, without a signal. Where they cannot be used the old keys stay: a file may be half
// written.
type files struct {
	public, secret string // names; one may be ""
	log            *slog.Logger

	mu     sync.Mutex
	keys   Keys
	state  [2]fileState // of the files when they were read last
	looked time.Time
}

// fileState changes with a file's content.
type fileState struct {
	modified time.Time
	size     int64
}

// openFiles reads the keys; the error names the file that cannot be used.
func openFiles(public, secret string, log *slog.Logger) (*files, error) {
	f := &files{public: public, secret: secret, log: log}
	return f, f.read()
}

// current returns the keys, of the files as they are now.
func (f *files) current() Keys {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := time.Now()
	if now.Sub(f.looked) < lookAgain {
		return f.keys
	}
	if f.looked = now; f.states() != f.state {
		if err := f.read(); err != nil {
			f.log.Warn("the files of keys for tokens have changed and cannot be used: the old keys stay", "error", err)
		} else {
			f.log.Info("the keys for tokens have changed", "keys", len(f.keys))
		}
	}
	return f.keys
}

// read must be called under the lock, or before the files are shared.
func (f *files) read() error {
	f.state, f.looked = f.states(), time.Now()
	keys, err := parseFile(f.public, ParsePublic)
	if err != nil {
		return err
	}
	secrets, err := parseFile(f.secret, ParseSecrets)
	if err == nil {
		f.keys = slices.Concat(keys, secrets)
	}
	return err
}

// parseFile returns the keys of a file; none where it has no name.
func parseFile(name string, parse func([]byte) (Keys, error)) (Keys, error) {
	if name == "" {
		return nil, nil
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	keys, err := parse(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return keys, nil
}

func (f *files) states() (states [2]fileState) {
	for i, name := range []string{f.public, f.secret} {
		if info, err := os.Stat(name); err == nil {
			states[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return states
}
