package script

import (
	"flag"
	"io"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// command acts on the world; its error names what failed.
type command func(w *world, ts *testscript.TestScript, args []string) error

// commands are the language's words. expect alone can be negated.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	words := map[string]func(*testscript.TestScript, bool, []string){
		"settings": affirmed(applySettings),
		"declare":  affirmed(declare),
		"connect":  affirmed(connect),
		"publish":  affirmed(publish),
		"expect":   expect,
		"leave":    affirmed(leave),
		"broker":   affirmed(befall),
		"crash":    affirmed(crash),
		"drain":    affirmed(drain),
		"get":      affirmed(get),
		"storm":    affirmed(storm),
		"network":  affirmed(harmNetwork),
	}
	for _, fault := range faults.OfClients() {
		words[fault.Name] = affirmed(misbehave(fault))
	}
	return words
}

// affirmed is a command that makes no sense with a ! before it.
func affirmed(do command) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command can not be negated")
		}
		w := of(ts)
		if err := do(w, ts, args); err != nil {
			w.fail(ts, err)
		}
	}
}

// fail ends the script, with the transcript of every stream.
func (w *world) fail(ts *testscript.TestScript, err error) {
	ts.Fatalf("%v\n%s", err, w.transcript())
}

// flags makes a command's flag set; a bad flag is an error, not an exit.
func flags(name string) *flag.FlagSet {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	return set
}

// list is a flag that may be given several times.
type list []string

func (l *list) String() string     { return "" }
func (l *list) Set(s string) error { *l = slices.Concat(*l, []string{s}); return nil }
