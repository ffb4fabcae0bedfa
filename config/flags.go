package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
)

// DefaultFile is read where it lies beside the process; --config names another.
const DefaultFile = "user-config.yml"

// ErrHelp is returned by Load for --help and -h.
var ErrHelp = pflag.ErrHelp

// given is a flag's value as written. It is checked with all the others, so that one bad flag hides
// no other problem and no message shows a secret.
type given struct {
	text    string
	setting Setting
}

func (g *given) Set(text string) error { g.text = text; return nil }
func (g *given) String() string        { return g.text }
func (g *given) Type() string          { return g.setting.Kind() }

// commandLine is the parsed arguments.
type commandLine struct {
	flags   *pflag.FlagSet
	profile string
	file    string
}

func newCommandLine() *commandLine {
	c := &commandLine{flags: pflag.NewFlagSet("events", pflag.ContinueOnError)}
	c.flags.SortFlags = false
	c.flags.Usage = func() {}
	c.flags.StringVar(&c.file, "config", "", "`file` with settings, a section per profile; "+DefaultFile+" is read where it exists")
	c.flags.StringVar(&c.profile, "profile", "", "`section` of the settings file; "+Default().Profile+", if not set  [NODE_ENV]")
	for _, s := range Settings {
		flag := c.flags.VarPF(&given{s.Default(), s}, s.Flag, "", s.Help+"  ["+s.variables()+"]")
		if s.Kind() == truth.name {
			flag.NoOptDefVal = "true" // --force-ssl alone
		}
	}
	return c
}

// variables returns the names of the variables that hold a setting, for help.
func (s Setting) variables() string {
	if s.Secret {
		return s.Variable + ", " + s.FileVariable()
	}
	return s.Variable
}

func parseCommandLine(args []string) (*commandLine, error) {
	c := newCommandLine()
	err := c.flags.Parse(args)
	switch {
	case err == pflag.ErrHelp:
		return nil, ErrHelp
	case err != nil:
		return nil, &UsageError{c.explain(err)}
	case c.flags.NArg() > 0:
		return nil, &UsageError{c.unexpected(args)}
	}
	return c, nil
}

// explain returns a parser's error with a suggestion where one helps, and without anything that may
// be a flag's value.
func (c *commandLine) explain(err error) error {
	unknown := (*pflag.NotExistError)(nil)
	if !errors.As(err, &unknown) {
		return err
	}
	name, dashes := unknown.GetSpecifiedName(), "--"
	if group := unknown.GetSpecifiedShortnames(); group != "" { // -port, -p8080: there are none of them but -h
		name, dashes = group[:1], "-"
		if word, _, _ := strings.Cut(group, "="); Nearest(word, c.names()) != "" {
			name = word
		}
	}
	hint := ""
	if word := Nearest(name, c.names()); word != "" {
		hint = "; did you mean --" + word + "?"
	}
	return fmt.Errorf("unknown flag: %s%s%s", dashes, name, hint)
}

func (c *commandLine) names() (names []string) {
	c.flags.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// unexpected names the first argument that belongs to no flag, unless it may be a password: behind
// a secret's flag, or as a URL.
func (c *commandLine) unexpected(args []string) error {
	stray := c.flags.Arg(0)
	for i, arg := range args {
		if arg == stray && i > 0 && c.isSecret(args[i-1]) || mayHoldSecret(stray) {
			return errors.New("unexpected argument: settings are flags, such as --port=8080")
		}
	}
	return fmt.Errorf("unexpected argument %q", stray)
}

func (c *commandLine) isSecret(arg string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	f := c.flags.Lookup(name)
	if f == nil {
		return false
	}
	g, ok := f.Value.(*given)
	return ok && g.setting.Secret
}

// layer returns the flags that were set.
func (c *commandLine) layer() layer {
	values := map[string]string{}
	c.flags.Visit(func(f *pflag.Flag) {
		if g, ok := f.Value.(*given); ok { // else --config, --profile
			values[g.setting.Key] = g.text
		}
	})
	return layer{values, func(s Setting) string { return "--" + s.Flag }}
}

// FlagHelp returns the flags with help, variables and defaults, for a terminal of so many columns.
func FlagHelp(columns int) string {
	return strings.TrimRight(newCommandLine().flags.FlagUsagesWrapped(columns), "\n") + "\n"
}
