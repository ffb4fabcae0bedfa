package script

import (
	"fmt"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/clients"
)

// stall makes streams stop reading: their sockets fill.
func stall(w *world, _ *testscript.TestScript, args []string) error {
	return w.each(args, (*clients.Stream).Stall)
}

// trickle makes streams read a byte a second.
func trickle(w *world, _ *testscript.TestScript, args []string) error {
	return w.each(args, (*clients.Stream).Trickle)
}

// resume makes stalled and trickling streams read on.
func resume(w *world, _ *testscript.TestScript, args []string) error {
	return w.each(args, (*clients.Stream).Resume)
}

func (w *world) each(args []string, do func(*clients.Stream)) error {
	if len(args) != 1 {
		return fmt.Errorf("the name of a stream is wanted, nothing else: %q", args)
	}
	found, err := w.named(args[0])
	for _, s := range found {
		do(s.Stream)
	}
	return err
}
