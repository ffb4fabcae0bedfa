package tail

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"
)

// timeToWrite is how long Run waits, at its end, for a reader of Out that does
// not read.
const timeToWrite = time.Second

var (
	errTimedOut = errors.New("timed out")
	errEnough   = errors.New("as many messages as were asked for")
)

// outputError is a failed write to Options.Out.
type outputError struct{ error }

func (e outputError) Unwrap() error { return e.error }

// Run reads streams of source until the options, the context or the service
// end it. It returns soon after the context has ended, even where a write of
// messages is stuck.
func Run(ctx context.Context, source Source, o Options) Outcome {
	if o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, o.Timeout, errTimedOut)
		defer cancel()
	}
	r := newReader(source, o)
	ended := make(chan Outcome, 1)
	go func() { ended <- r.run(ctx) }() // ends with ctx, unless Out is stuck: then with the process
	select {
	case outcome := <-ended:
		return outcome
	case <-ctx.Done():
	}
	select {
	case outcome := <-ended:
		return outcome
	case <-time.After(timeToWrite):
		return outcomeOf(ctx)
	}
}

func outcomeOf(ctx context.Context) Outcome {
	if context.Cause(ctx) == errTimedOut {
		return TimedOut
	}
	return Interrupted
}

// reader reads stream after stream. One goroutine uses it.
type reader struct {
	source  Source
	options Options
	print   printer
	backoff backoff

	opened bool // a stream was ready, at least once
	gap    *gap // since the end of the last that was ready; nil while one is read
	taken  int

	failures int // of the filter
}

func newReader(source Source, o Options) *reader {
	return &reader{
		source: source, options: o, print: newPrinter(o),
		backoff: backoff{first: 500 * time.Millisecond, most: 30 * time.Second, random: rand.Float64},
	}
}

func (r *reader) run(ctx context.Context) Outcome {
	r.note("reading %s", r.source)
	for {
		err := r.stream(ctx)
		if outcome, ended := r.judge(ctx, err); ended {
			if outcome == TimedOut && !r.opened {
				outcome = NeverReady
			}
			r.closeGap(time.Now())
			r.summarise(ctx, outcome)
			return outcome
		}
		wait := r.backoff.next(err.(*Loss))
		r.note("no stream: %v; the next try is in %v", err, rounded(wait))
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
	}
}

// judge decides whether the end of a stream is the end of all. Where it is not,
// err is a *Loss.
func (r *reader) judge(ctx context.Context, err error) (outcome Outcome, ended bool) {
	var (
		output outputError
		loss   *Loss
	)
	switch {
	case err == errEnough, errors.Is(err, syscall.EPIPE):
		return Done, true
	case errors.As(err, &output):
		r.warn("the messages cannot be written: %v", output.error)
		return Failed, true
	case ctx.Err() != nil:
		return outcomeOf(ctx), true
	case !errors.As(err, &loss), !loss.Retryable:
		r.warn("refused: %v", err)
		return Refused, true
	}
	if r.opened && r.options.Wait {
		r.warn("lost: %v; what was awaited may have come since", loss)
		return Lost, true
	}
	if r.opened && r.gap == nil {
		r.gap = &gap{code: loss.Code, since: time.Now()}
	}
	return 0, false
}

// stream reads one stream to its end.
func (r *reader) stream(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	stream, err := r.source.Open(ctx)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		event, err := stream.Next()
		if err != nil {
			return err
		}
		switch event.Name {
		case Ready:
			err = r.ready()
		case Message:
			err = r.message(ctx, event.Data)
		}
		if err != nil {
			return err
		}
	}
}

func (r *reader) ready() error {
	r.backoff.reset()
	if !r.opened {
		r.note("ready: from now on every message is read")
	}
	r.opened = true
	return r.closeGap(time.Now())
}

func (r *reader) message(ctx context.Context, data []byte) error {
	err := r.options.Filter.apply(ctx, data, r.take)
	var failed *FilterError
	if errors.As(err, &failed) {
		r.filterFailed(failed)
		return nil
	}
	return err
}

func (r *reader) take(text []byte) error {
	if err := r.print.message(text); err != nil {
		return outputError{err}
	}
	r.taken++
	if r.options.Count > 0 && r.taken >= r.options.Count {
		return errEnough
	}
	return nil
}

// filterFailed notes the first failure; summarise their number.
func (r *reader) filterFailed(err *FilterError) {
	if r.failures++; r.failures == 1 {
		r.warn("%v", err)
	}
}

func (r *reader) closeGap(now time.Time) error {
	if r.gap == nil {
		return nil
	}
	g := *r.gap
	r.gap, g.until = nil, now
	r.warn("%v without a stream (%s): messages of that time are missing", rounded(g.length()), g.code)
	if err := r.print.gap(g); err != nil {
		return outputError{err}
	}
	return nil
}

func (r *reader) summarise(ctx context.Context, outcome Outcome) {
	if r.failures > 1 {
		r.warn("the filter failed on %d messages in all", r.failures)
	}
	switch {
	case outcome == NeverReady:
		r.warn("timed out after %v: there was no stream", r.options.Timeout)
	case outcome == TimedOut && r.options.Wait:
		r.warn("timed out after %v: no message matched", r.options.Timeout)
	case outcome == TimedOut && r.options.Count > 0:
		r.warn("timed out after %v with %d of %d messages", r.options.Timeout, r.taken, r.options.Count)
	case outcome == TimedOut, outcome == Interrupted:
		r.note("%d messages", r.taken)
	}
}

// note writes a line on progress, warn one on what is wrong.
func (r *reader) note(format string, args ...any) {
	if !r.options.Quiet {
		r.warn(format, args...)
	}
}

func (r *reader) warn(format string, args ...any) {
	fmt.Fprintf(r.options.Notes, "%s: %s\n", r.options.Name, printable(fmt.Sprintf(format, args...)))
}

func rounded(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
