package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/taskcluster/events-proxy/test/chaos/random"
)

// progress writes where a run stands onto one line of a terminal, again and again;
// elsewhere it writes nothing.
func progress(w io.Writer) func(random.Progress) {
	if !isTerminal(w) {
		return nil
	}
	const wipe = "\r\x1b[K"
	return func(p random.Progress) {
		fmt.Fprintf(w, wipe+"%s %s of %s, %d streams, harms: %d seen, %d not, last: %s, %d violations",
			p.Phase, p.Elapsed.Round(time.Second), p.Total, p.Streams, p.Seen, p.Undone, p.Harm, p.Violations)
		if p.Phase == "left" {
			fmt.Fprint(w, wipe)
		}
	}
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(file.Fd()), unix.TCGETS)
	return err == nil
}
