package script

import (
	"fmt"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
)

// leave closes the socket of streams, with -reset by a TCP reset. Their names
// are free afterwards.
func leave(w *world, _ *testscript.TestScript, args []string) error {
	reset := slices.Equal(args[min(1, len(args)):], []string{"-reset"})
	if len(args) != 1 && !reset {
		return fmt.Errorf("usage: leave NAME [-reset]")
	}
	leaving, err := w.named(args[0])
	if err != nil {
		return err
	}
	for _, s := range leaving {
		if reset {
			s.Reset()
		} else {
			s.Close()
		}
		w.forget(s)
		w.params.observe().Left(w.name, args[0], s.Stream)
	}
	return nil
}

func (w *world) forget(gone *stream) {
	w.names = slices.DeleteFunc(w.names, func(name string) bool { return w.streams[name] == gone })
	for name, s := range w.streams {
		if s == gone {
			delete(w.streams, name)
		}
	}
}
