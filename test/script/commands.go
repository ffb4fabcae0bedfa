package script

import (
	"errors"
	"flag"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

// command acts on the world; its error names what failed.
type command func(w *world, ts *testscript.TestScript, args []string) error

// commands returns the language's words. expect alone can be negated.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	words := map[string]func(*testscript.TestScript, bool, []string){"expect": timed("expect", expect)}
	for name, do := range affirmative() {
		words[name] = timed(name, affirmed(do))
	}
	return words
}

func affirmative() map[string]command {
	words := map[string]command{
		"settings": applySettings,
		"declare":  declare,
		"connect":  connect,
		"publish":  publish,
		"leave":    leave,
		"broker":   befall,
		"crash":    crash,
		"drain":    drain,
		"get":      get,
		"storm":    storm,
		"network":  harmNetwork,
		"process":  harmProcess,
		"needs":    needs,
	}
	for _, fault := range faults.OfClients() {
		words[fault.Name] = misbehave(fault)
	}
	return words
}

// Commands returns the language's words, sorted.
func Commands() []string {
	list := []string{"expect"}
	for name := range affirmative() {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// affirmed is a command that makes no sense with a ! before it.
func affirmed(do command) negatable {
	return func(w *world, ts *testscript.TestScript, neg bool, args []string) error {
		if neg {
			return errors.New("this command can not be negated")
		}
		return do(w, ts, args)
	}
}

// negatable is a command that may have a ! before it.
type negatable func(w *world, ts *testscript.TestScript, neg bool, args []string) error

// timed writes into the transcript when a command began and how long it took.
func timed(name string, do negatable) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		w, begun := of(ts), time.Now()
		err := do(w, ts, neg, args)
		took := time.Since(begun)
		w.lookAround()
		ts.Logf("  at %.3f s, took %.3f s", begun.Sub(w.begun).Seconds(), took.Seconds())
		w.params.observe().Command(w.name, spelled(name, neg, args), begun, took, err)
		if err != nil {
			w.failure = err
			ts.Fatalf("%v\n%s", err, w.transcript())
		}
		if judges(name, args) {
			w.judged++
		}
	}
}

// spelled returns a command as it may be written in a script.
func spelled(name string, neg bool, args []string) string {
	words := []string{name}
	if neg {
		words = []string{"!", name}
	}
	for _, arg := range args {
		if arg == "" || strings.ContainsAny(arg, " #'\t") {
			arg = "'" + strings.ReplaceAll(arg, "'", "''") + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
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
