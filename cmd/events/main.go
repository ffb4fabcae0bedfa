// Command events is the Taskcluster events proxy: browsers read messages of RabbitMQ ("Pulse") as
// Server-Sent Events.
//
//	events serve        the proxy          settings: events serve --help
//	events demo         everything in one process, with sample messages
//	events tail         messages of a proxy or a broker
//	events wait         tail until the first message that matches
//	events doctor       finds out why messages do not arrive
//	events health       asks the proxy on this machine how it is
//	events config       the settings in effect, and where they come from
//	events write-docs   the API reference and the table of settings, as files
//	events version
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// main is signals and the exit status. The first SIGTERM or SIGINT drains; the next one ends the
// process at once, with the status that shells give for it. (SIGHUP reloads serve, drains demo,
// and ends whatever else runs in a terminal.)
func main() {
	ends := make(chan os.Signal, 2) // two may arrive before the goroutine runs
	signal.Notify(ends, syscall.SIGTERM, os.Interrupt)
	ctx, drain := context.WithCancel(context.Background())
	p := newProcess(os.Environ(), os.Stdout, os.Stderr)
	go func() { // ends with the process
		<-ends
		drain()
		os.Exit(p.endAtOnce(next(ends)))
	}()
	os.Exit(p.run(ctx, os.Args[1:]))
}

// sameSignal is how long after the first signal others belong to it: timeout(1) and some terminals
// send one to a process, and then to its group.
const sameSignal = 250 * time.Millisecond

// next returns the first signal that does not belong to the one before.
func next(signals <-chan os.Signal) os.Signal {
	for since := time.Now(); ; {
		if s := <-signals; time.Since(since) >= sameSignal {
			return s
		}
	}
}

// endAtOnce logs that a second signal ends the process, and returns the exit status for it.
func (p process) endAtOnce(s os.Signal) int {
	if log := p.log.Load(); log != nil {
		log.Warn("ended at once, by a second signal", "signal", s.String())
		log.out.flush(lastWords)
	} else {
		out := newLossy(p.stderr)
		fmt.Fprintf(out, "events: ended at once, by a second signal: %v\n", s)
		out.close(lastWords)
	}
	if number, ok := s.(syscall.Signal); ok {
		return 128 + int(number)
	}
	return failed
}
