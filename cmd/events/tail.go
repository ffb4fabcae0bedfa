package main

import (
	"cmp"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"github.com/taskcluster/events-proxy/actors/amqp"
	"github.com/taskcluster/events-proxy/cmd/events/tail"
	"github.com/taskcluster/events-proxy/cmd/options"
)

// Further exit statuses of tail and wait.
const (
	timedOut    = 3   // in time there was no stream, or not as many messages as were asked for
	gapped      = 4   // wait's stream was lost: its message may have come unseen
	refused     = 5   // the service refuses what is asked for
	interrupted = 130 // by a signal, before there was what was asked for
)

const (
	tailHelp = `reads messages until it is told to stop.

A BINDING is an exchange or exchange:pattern; without a pattern it is #, all.
On a terminal each message is a line of columns, in a pipe a line of JSON
(NDJSON). A stream that is lost is followed by another one; how long there was
none is a line on standard error and, in NDJSON, a record: {"gap":{...}}.
Exit status: 0; 1 failed, 2 misused, 3 timed out before --count or before
there was a stream, 5 refused,
130 interrupted before --count.`
	tailExamples = `  events tail exchange/taskcluster-queue/v1/task-completed
  events tail --url https://tc.example.org 'exchange/taskcluster-queue/v1/task-failed:primary.#'
  events tail --filter '.payload.status.taskId' --raw exchange/taskcluster-queue/v1/task-pending
  events tail --timeout 1m exchange/taskcluster-queue/v1/task-completed | wc -l
  PULSE_URL=amqps://user:password@pulse.example.org events tail --broker exchange/build/normalized
`
	waitHelp = `reads until the first message that matches, and writes it.

It ends at the first gap, since the message may have come unseen: look at the
state of what is awaited, and wait again. (events tail --count 1 goes on.)
Exit status: 0 found; 1 failed, 2 misused, 3 timed out, 4 lost, 5 refused,
130 interrupted.`
	waitExamples = `  events wait --timeout 30m 'exchange/taskcluster-queue/v1/task-completed:primary.NvC3DOq2RDi_5B7kHxcXkw.#'
  events wait --filter '.payload.branch == "main"' exchange/taskcluster-github/v1/push && make deploy
`
)

var (
	errNegative = errors.New("--count, --timeout and --silence are not negative")
	errColor    = errors.New("--color is auto, always or never")
)

// reading is a command line of tail or wait.
type reading struct {
	*tool
	url             string
	broker          optionalText
	config, profile string
	token           tokenFlags
	silence         time.Duration
	filter          string
	color           string
	options         tail.Options
}

// tail shows messages.
func (p process) tail(ctx context.Context, args []string) int {
	r := newReading(newTool("tail", "BINDING...", tailHelp, tailExamples))
	r.flags.IntVar(&r.options.Count, "count", 0, "end after `N` messages")
	return r.run(p, ctx, args)
}

// wait is tail until the first message that the filter takes.
func (p process) wait(ctx context.Context, args []string) int {
	r := newReading(newTool("wait", "BINDING...", waitHelp, waitExamples))
	r.options.Count, r.options.Wait = 1, true
	return r.run(p, ctx, args)
}

func newReading(t *tool) *reading {
	r := &reading{tool: t}
	f := t.flags
	f.StringVar(&r.url, "url", "", "root `URL` of the proxy; that of the settings, if not given")
	f.Var(&r.broker, "broker", "read from the broker itself: that of the settings, or of this AMQP `URL`")
	f.StringVar(&r.config, "config", "", "`FILE` with settings")
	f.StringVar(&r.profile, "profile", "", "`SECTION` of the settings file")
	r.token.define(f, "; read for each stream")
	f.StringVar(&r.filter, "filter", "", "jq `PROGRAM`: true takes a message, false, null and nothing do not; another value is written in its place")
	f.BoolVar(&r.options.Raw, "raw", false, "write the payload alone, or the filter's value; strings without quotes")
	f.DurationVar(&r.options.Timeout, "timeout", 0, "end after this `TIME`, such as 90s or 5m")
	f.DurationVar(&r.silence, "silence", 75*time.Second, "`TIME` without even a ping after which a proxy's stream is given up; 0: never")
	f.StringVar(&r.color, "color", "auto", "`WHEN`: auto, always, never; auto is on a terminal, unless NO_COLOR is set")
	f.BoolVar(&r.options.Quiet, "quiet", false, "no progress on standard error, only what is wrong")
	return r
}

func (r *reading) run(p process, ctx context.Context, args []string) int {
	arguments, status, ok := r.parse(p, args)
	if !ok {
		return status
	}
	bindings, err := tail.ParseBindings(arguments)
	if err == nil {
		err = r.complete(p)
	}
	if err != nil {
		return r.misuse(p, "%v", err)
	}
	source, status, ok := r.source(p, bindings)
	if !ok {
		return status
	}
	if c, closes := source.(io.Closer); closes {
		defer c.Close()
	}
	signal.Ignore(syscall.SIGPIPE) // a reader that has read enough is no failure
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	gone := onHangUp(ctx, p.stdout, stop)
	return r.status(tail.Run(ctx, source, r.options), gone)
}

// status returns the exit status of an outcome.
func (r *reading) status(outcome tail.Outcome, gone func() bool) int {
	switch outcome {
	case tail.Done:
		return succeeded
	case tail.TimedOut:
		if r.options.Count > 0 {
			return timedOut
		}
		return succeeded // a time was all that was asked for
	case tail.NeverReady:
		return timedOut
	case tail.Lost:
		return gapped
	case tail.Refused:
		return refused
	case tail.Interrupted:
		if r.options.Count == 0 || gone() {
			return succeeded
		}
		return interrupted
	}
	return failed
}

// source returns where to read. Only what is needed of the settings is loaded:
// with --url, nothing.
func (r *reading) source(p process, bindings []amqp.Binding) (source tail.Source, status int, ok bool) {
	o := tail.ProxyOptions{Silence: r.silence, Token: r.token.given(p), TokenFile: r.token.file}
	var err error
	switch {
	case r.token.text != "" && r.token.file != "":
		return nil, r.misuse(p, "%v", errTwoTokens), false
	case r.broker.set && (r.url != "" || r.token.text+r.token.file != ""):
		return nil, r.misuse(p, "--broker reads from no proxy: --url, --token and --token-file have no place beside it"), false
	case r.broker.set:
		return r.brokerSource(p, bindings)
	case r.url == "":
		c, status, ok := p.settings(r.name, r.settingsArguments())
		if !ok {
			return nil, status, false
		}
		if r.url = c.Server.RootURL; r.url == "" {
			return nil, r.misuse(p, "the settings have no root URL: where is the proxy (--url)?"), false
		}
	}
	if source, err = tail.NewProxy(r.url, bindings, o); err != nil {
		return nil, r.misuse(p, "--url: %v", err), false
	}
	return source, succeeded, true
}

func (r *reading) brokerSource(p process, bindings []amqp.Binding) (source tail.Source, status int, ok bool) {
	c, status, ok := p.settings(r.name, r.settingsArguments())
	if !ok {
		return nil, status, false
	}
	broker, err := options.Broker(c)
	if err != nil {
		return nil, r.misuse(p, "%v", err), false
	}
	log := slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	source, err = tail.NewBroker(c.Pulse.Broker(), options.System(c, broker, log), bindings)
	if err != nil {
		return nil, r.misuse(p, "%v", err), false
	}
	return source, succeeded, true
}

// settingsArguments are the flags of the settings that this command line holds.
func (r *reading) settingsArguments() (args []string) {
	for name, value := range map[string]string{"--config": r.config, "--profile": r.profile, "--pulse-url": r.broker.text} {
		if value != "" {
			args = append(args, name+"="+value)
		}
	}
	return args
}

// complete makes the options of what was given.
func (r *reading) complete(p process) (err error) {
	o := &r.options
	o.Out, o.Notes, o.Name = p.stdout, p.stderr, "events "+r.name
	if r.filter != "" {
		if o.Filter, err = tail.NewFilter(r.filter); err != nil {
			return err
		}
	}
	if o.Count < 0 || o.Timeout < 0 || r.silence < 0 {
		return errNegative
	}
	terminal := false
	if f, isFile := p.stdout.(*os.File); isFile && term.IsTerminal(int(f.Fd())) {
		terminal = true
		width, _, _ := term.GetSize(int(f.Fd()))
		o.Columns = cmp.Or(width, 80)
	}
	switch r.color {
	case "auto":
		o.Color = terminal && p.env("NO_COLOR") == "" && p.env("TERM") != "dumb"
	case "always":
		o.Color = true
	case "never":
	default:
		return errColor
	}
	return nil
}
