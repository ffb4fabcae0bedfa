package script

import (
	"errors"
	"slices"
)

// ErrUnjudged is wrapped by the failure of a script that has come to its end without a claim of its
// own: what it says that it proves was not tried in this mode, or on this broker.
var ErrUnjudged = errors.New("no claim of its own was judged: all that it expects here holds of a proxy to which nothing is done")

// judges reports whether a command that has succeeded has judged a claim of the script's own. What
// also holds where nothing is done is none: that the broker or the process is clean, or that nothing
// of a kind is there or has happened.
//
//	expect ada ready              one of its own
//	expect process 1 ClientGone   one of its own
//	expect process 0 restarts     none
//	expect broker clean           none
func judges(command string, args []string) bool {
	switch command {
	case "storm": // it looks at every answer
		return true
	case "expect":
		return !slices.Contains([]string{"broker", "process", "tree"}, args[0]) ||
			!slices.Contains(args, "clean") && !slices.Contains(args, "0")
	}
	return false
}

// unjudged returns ErrUnjudged where the script has judged no claim of its own, else nil.
func (w *world) unjudged() error {
	if w.judged > 0 {
		return nil
	}
	return ErrUnjudged
}
