package config

import (
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
		flag := c.flags.VarPF(&given{s.Default(), s}, s.Flag, "", s.Help+"  ["+s.Variable+"]")
		if s.Kind() == truth.name {
			flag.NoOptDefVal = "true" // --force-ssl alone
		}
	}
	return c
}

func parseCommandLine(args []string) (*commandLine, error) {
	c := newCommandLine()
	err := c.flags.Parse(args)
	switch {
	case err == pflag.ErrHelp:
		return nil, ErrHelp
	case err != nil:
		return nil, &UsageError{err}
	case c.flags.NArg() > 0:
		return nil, &UsageError{fmt.Errorf("unexpected argument %q", c.flags.Arg(0))}
	}
	return c, nil
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
