package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/config"
)

// tool is a command with flags of its own beside a few arguments: not a server,
// so that the settings are not its flags.
type tool struct {
	name, arguments, help string // as in the list of commands; help has sentences
	examples              string // indented lines
	flags                 *flag.FlagSet
}

func newTool(name, arguments, help, examples string) *tool {
	t := &tool{name, arguments, help, examples, flag.NewFlagSet(name, flag.ContinueOnError)}
	t.flags.SetOutput(io.Discard)
	t.flags.Usage = func() {}
	return t
}

// parse sets the flags and returns the other arguments; the two may be mixed,
// and all behind `--` is no flag. Where ok is false the user has been answered,
// and status is how to end.
func (t *tool) parse(p process, args []string) (arguments []string, status int, ok bool) {
	for {
		err := t.flags.Parse(args)
		switch rest := t.flags.Args(); {
		case errors.Is(err, flag.ErrHelp):
			t.usage(p.stdout)
			return nil, succeeded, false
		case err != nil:
			return nil, t.misuse(p, "%s", t.explained(err)), false
		case len(rest) == 0:
			return arguments, succeeded, true
		case len(args) > len(rest) && args[len(args)-len(rest)-1] == "--":
			return append(arguments, rest...), succeeded, true
		default:
			arguments, args = append(arguments, rest[0]), rest[1:]
		}
	}
}

// wrongValue is package flag's error for a value that a flag does not take.
var wrongValue = regexp.MustCompile(`(?s)^invalid (?:boolean )?value (".*") for (?:flag )?-([^ ]+): `)

// explained returns an error of package flag in the words of the other commands.
func (t *tool) explained(err error) string {
	if name, bare := strings.CutPrefix(err.Error(), "flag needs an argument: -"); bare {
		return "--" + name + " needs a value"
	}
	if wrong := wrongValue.FindStringSubmatch(err.Error()); wrong != nil {
		return "--" + wrong[2] + ": " + wrong[1] + " " + t.wanted(wrong[2], err)
	}
	name, unknown := strings.CutPrefix(err.Error(), "flag provided but not defined: -")
	if !unknown {
		return err.Error()
	}
	var known []string
	t.flags.VisitAll(func(f *flag.Flag) { known = append(known, f.Name) })
	name = strings.TrimPrefix(name, "-")
	text := "unknown flag: --" + name
	if meant := config.Nearest(name, known); meant != "" {
		text += "; did you mean --" + meant + "?"
	}
	return text
}

// wanted returns what a flag's value is not, by the flag's kind; of other kinds, what their error says.
func (t *tool) wanted(name string, err error) string {
	if kind, can := t.flags.Lookup(name).Value.(flag.Getter); can {
		switch kind.Get().(type) {
		case bool:
			return "is neither true nor false"
		case time.Duration:
			return "is not a duration, such as 90s or 5m"
		case int, int64, uint, uint64:
			return "is not a whole number"
		}
	}
	return wrongValue.ReplaceAllString(err.Error(), "")
}

// misuse prints what is wrong with the command line and returns the status.
func (t *tool) misuse(p process, format string, args ...any) int {
	fmt.Fprintf(p.stderr, "events %s: %s (see: events %s --help)\n", t.name, fmt.Sprintf(format, args...), t.name)
	return misused
}

func (t *tool) usage(w io.Writer) {
	fmt.Fprintf(w, "events %s [flags] %s: %s\n\nFlags:\n", t.name, t.arguments, t.help)
	t.flags.VisitAll(func(f *flag.Flag) {
		value, help := flag.UnquoteUsage(f)
		name := "--" + f.Name
		if _, optional := f.Value.(*optionalText); optional {
			name += "[=" + value + "]"
		} else if value != "" {
			name += " " + value
		}
		if f.DefValue != "" && f.DefValue != "false" && f.DefValue != "0" && f.DefValue != "0s" && f.DefValue != "-1ns" {
			help += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(w, "  %-20s %s\n", name, help)
	})
	fmt.Fprintf(w, "\nExamples:\n%s", t.examples)
}

// optionalText is a flag that may stand without a value.
type optionalText struct {
	set  bool
	text string // "" without a value
}

// IsBoolFlag makes package flag take the flag without a value, as "true".
func (*optionalText) IsBoolFlag() bool { return true }

func (o *optionalText) String() string { return o.text }

func (o *optionalText) Set(text string) error {
	if o.set = true; text != "true" {
		o.text = text
	}
	return nil
}
