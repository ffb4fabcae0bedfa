package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/cmd/events/doctor"
	"github.com/taskcluster/events-proxy/cmd/events/tail"
	"github.com/taskcluster/events-proxy/cmd/options"
	"github.com/taskcluster/events-proxy/config"
)

const (
	doctorHelp = `finds out why messages do not arrive.

It checks the settings, the broker that they name (name, port, certificate,
login, virtual host, rights) and, with the root URL of a proxy, the way of a
stream to its clients: whether something in front buffers, compresses or cuts
streams, and a message from the broker to the client. It makes a queue and an
exchange of its own, and removes them. A check that needs one that did not pass
is skipped. Watching a stream takes most of a minute.
Exit status: 0 nothing failed, 1 something failed, 2 misused.`
	doctorExamples = `  events doctor
  events doctor https://tc.example.org
  events doctor --json --watch 0 https://tc.example.org | jq '.checks[] | select(.verdict == "FAIL")'
  events doctor --binding exchange/taskcluster-queue/v1/task-completed:primary.# --management http://admin:password@rabbit:15672
`
)

// byPingPeriod is --watch where it is not given.
const byPingPeriod = -1

// bindingsFlag is a flag that may be repeated.
type bindingsFlag []string

func (b *bindingsFlag) String() string { return strings.Join(*b, " ") }

func (b *bindingsFlag) Set(text string) error { *b = append(*b, text); return nil }

// doctor examines the settings, the broker and a proxy's public URL.
func (p process) doctor(ctx context.Context, args []string) int {
	t := newTool("doctor", "[URL]", doctorHelp, doctorExamples)
	var (
		bindings bindingsFlag
		token    tokenFlags
		o        doctor.Options
	)
	f := t.flags
	f.Var(&bindings, "binding", "a `BINDING` that clients ask for, exchange:pattern; may be repeated")
	file := f.String("config", "", "`FILE` with settings")
	profile := f.String("profile", "", "`SECTION` of the settings file")
	f.StringVar(&o.Management, "management", "", "`URL` of the broker's management plugin, with user and password: policies and kinds are looked at")
	token.define(f, "")
	f.DurationVar(&o.Patience, "patience", 10*time.Second, "`TIME` that an answer may take")
	f.DurationVar(&o.Watch, "watch", byPingPeriod, "`TIME` for which an idle stream is watched, such as 2m; 0: it is not; two and a half ping periods of the settings, if not given")
	inJSON := f.Bool("json", false, "write one JSON document")
	arguments, status, ok := t.parse(p, args)
	if !ok {
		return status
	}
	if len(arguments) > 1 {
		return t.misuse(p, "there is more than one URL: %s", strings.Join(arguments, " "))
	}
	o.URL = strings.Join(arguments, "")
	switch o.Watch {
	case byPingPeriod:
		o.Watch = 0
	case 0:
		o.Watch = -1
	}
	if err := completeDoctor(&o, p, bindings, token, settingsOf(*file, *profile)); err != nil {
		return t.misuse(p, "%v", err)
	}
	report := p.examine(ctx, o, *inJSON)
	if report.Failed() {
		return failed
	}
	return succeeded
}

func (p process) examine(ctx context.Context, o doctor.Options, inJSON bool) (report doctor.Report) {
	if inJSON {
		report = doctor.Examine(ctx, o, nil)
		report.WriteJSON(p.stdout)
		return report
	}
	lines := doctor.Lines{Out: p.stdout}
	report = doctor.Examine(ctx, o, lines.Tell)
	lines.Flush()
	fmt.Fprintln(p.stdout, report.Summary())
	return report
}

// settingsOf returns the flags of config.Load that a tool passes on.
func settingsOf(file, profile string) (args []string) {
	if file != "" {
		args = append(args, "--config="+file)
	}
	if profile != "" {
		args = append(args, "--profile="+profile)
	}
	return args
}

// completeDoctor fills the options with the settings, which may be wrong: that is a finding.
func completeDoctor(o *doctor.Options, p process, bindings []string, token tokenFlags, settings []string) (err error) {
	if len(bindings) > 0 {
		if o.Bindings, err = tail.ParseBindings(bindings); err != nil {
			return err
		}
	}
	if o.Token, err = token.read(p); err != nil {
		return err
	}
	o.Config, o.Problem = config.Load(settings, p.environ, os.ReadFile)
	if o.Problem != nil {
		return nil
	}
	broker, err := options.Broker(o.Config)
	if err == nil {
		o.Broker = broker
	}
	var problems config.Problems
	if errors.As(options.Validate(o.Config), &problems) {
		// Without a broker there is a finding of its own.
		problems = slices.DeleteFunc(problems, func(p config.Problem) bool { return p.Why == config.ErrNoBroker.Error() })
		if len(problems) > 0 {
			o.Problem = problems
		}
	}
	return nil
}
