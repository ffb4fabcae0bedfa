package chaos

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/chaos/history"
	"github.com/taskcluster/events-proxy/test/script"
)

// The verdicts on a script.
const (
	Pass    = "pass"    // its claim was tried and held
	Fail    = "fail"    // it did not
	Unknown = "unknown" // the claim could not be judged or was not tried, or a harm was never seen
	Skipped = "skipped" // the script asks for what is not here
)

// Result is how one script went.
type Result struct {
	Script     string  `json:"script"`
	Claim      string  `json:"claim"` // its first line, see script.Claim
	Verdict    string  `json:"verdict"`
	Reason     string  `json:"reason,omitempty"` // of a verdict that is not Pass
	Seconds    float64 `json:"seconds"`
	Evidence   string  `json:"evidence"` // what the broker holds of the proxy's, in the end
	Harms      []Harm  `json:"harms,omitempty"`
	Transcript string  `json:"transcript,omitempty"`
}

// Harm is a fault that a script asked for, and the sign that it has happened.
type Harm struct {
	Name string `json:"name"`
	Sign string `json:"sign,omitempty"`
}

// Play plays scripts one after another, in their order, and reports each as it
// ends. Everything that they start has ended when it returns. When ctx ends, the
// script under way is played to its end, and no other: not all have passed then.
func Play(ctx context.Context, p script.Params, files []string, h *history.Recorder, report func(Result)) (passed bool) {
	passed = true
	scribe := newScribe(h)
	p.Observer = scribe
	for _, file := range files {
		if ctx.Err() != nil {
			return false
		}
		result := playOne(p, scribe, file)
		passed = passed && result.Verdict == Pass
		report(result)
	}
	return passed
}

func playOne(p script.Params, scribe *scribe, file string) Result {
	r := Result{Script: strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)), Evidence: notLookedFor}
	var err error
	if r.Claim, err = script.Claim(file); err != nil {
		r.Verdict, r.Reason = Fail, err.Error()
		scribe.close(r)
		return r
	}
	witness := &witness{Brokers: p.Brokers}
	p.Brokers = witness
	start := time.Now()
	t := &player{}
	t.wait(func() { script.Play(t, p, []string{file}) })
	r.Seconds, r.Evidence, r.Transcript = time.Since(start).Seconds(), witness.evidence(), t.log()
	var ended bool
	r.Harms, ended, err = scribe.outcome(r.Script)
	r.Verdict, r.Reason = judge(t, ended, err)
	scribe.close(r)
	return r
}

// judge distinguishes a claim that failed from one that was not tried.
func judge(t *player, ended bool, cause error) (verdict, reason string) {
	worthless := errors.Is(cause, script.ErrUnseen) || errors.Is(cause, script.ErrUnjudged)
	switch {
	case !t.failed():
		return Pass, ""
	case !ended:
		return Unknown, "it could not begin"
	case errors.Is(cause, script.ErrNotHere):
		return Skipped, cause.Error()
	case worthless && !strings.Contains(t.log(), "FAIL: "):
		return Unknown, strings.ReplaceAll(cause.Error(), "\n", "; ")
	case cause == nil, worthless: // a command of testscript's own has failed
		return Fail, "see the transcript"
	}
	reason, _, _ = strings.Cut(cause.Error(), "\n")
	return Fail, reason
}

// witness keeps the brokers that scripts had, to tell what was found on them.
type witness struct {
	script.Brokers
	mu    sync.Mutex
	found []string
}

func (w *witness) For(name string) (script.Broker, error) {
	b, err := w.Brokers.For(name)
	if err != nil {
		return nil, err
	}
	return witnessed{b, w}, nil
}

func (w *witness) evidence() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.found) == 0 {
		return notLookedFor
	}
	return strings.Join(w.found, "; ")
}

// witnessed notes what is left when its script closes it.
type witnessed struct {
	script.Broker
	witness *witness
}

// Unwrap returns the broker itself.
func (w witnessed) Unwrap() script.Broker { return w.Broker }

// URL is the broker's own.
func (w witnessed) URL() string {
	if b, ok := w.Broker.(interface{ URL() string }); ok {
		return b.URL()
	}
	return ""
}

func (w witnessed) Close() error {
	err := w.Broker.Close()
	found := notLookedFor
	if err != nil {
		found = err.Error()
	} else if b, ok := w.Broker.(Evident); ok {
		found = b.Evidence()
	}
	w.witness.mu.Lock()
	w.witness.found = append(w.witness.found, found)
	w.witness.mu.Unlock()
	return err
}

// player is a testscript.T outside of `go test`. A failure ends its goroutine.
type player struct {
	mu       sync.Mutex
	text     strings.Builder
	broken   bool
	children sync.WaitGroup
}

func (p *player) wait(f func()) {
	p.children.Go(f)
	p.children.Wait()
}

func (p *player) failed() bool { p.mu.Lock(); defer p.mu.Unlock(); return p.broken }

// log returns the transcript, without the environment that testscript puts first.
func (p *player) log() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	text := p.text.String()
	if strings.HasPrefix(text, "WORK=") {
		_, text, _ = strings.Cut(text, "\n\n")
	}
	return text
}

// Skip ends the script; none of ours does.
func (p *player) Skip(args ...any) { p.Fatal(append([]any{"skipped:"}, args...)...) }

// Fatal fails the script and ends its goroutine.
func (p *player) Fatal(args ...any) {
	p.Log(args...)
	p.FailNow()
}

// FailNow is Fatal without words.
func (p *player) FailNow() {
	p.mu.Lock()
	p.broken = true
	p.mu.Unlock()
	runtime.Goexit()
}

// Log adds to the transcript.
func (p *player) Log(args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fmt.Fprintln(&p.text, args...)
}

// Parallel does nothing: scripts are played in their order.
func (*player) Parallel() {}

// Verbose asks for the transcript.
func (*player) Verbose() bool { return true }

// Run runs a part in a goroutine of its own, which a failure ends, and waits.
func (p *player) Run(_ string, f func(testscript.T)) {
	done := make(chan struct{})
	go func() { // ends with the part, which is waited for
		defer close(done)
		f(p)
	}()
	<-done
}

var _ testscript.T = (*player)(nil)

// Print writes a result for people: the claim, what proves it, and where it was
// not a pass the transcript.
func (r Result) Print(w io.Writer, verbose bool) {
	mark := r.Verdict
	if mark == Fail {
		mark = "FAIL"
	}
	fmt.Fprintf(w, "%-7s  %-28s %5.1fs  %s\n         broker: %s\n", mark, r.Script, r.Seconds, r.Claim, r.Evidence)
	for _, h := range r.Harms {
		fmt.Fprintf(w, "         harm: %s: %s\n", h.Name, cmp.Or(h.Sign, "never seen"))
	}
	if r.Reason != "" {
		fmt.Fprintf(w, "         %s\n", r.Reason)
	}
	if verbose || r.Verdict == Fail || r.Verdict == Unknown {
		for line := range strings.Lines(r.Transcript) {
			fmt.Fprint(w, "         | ", line)
		}
		fmt.Fprintln(w)
	}
}
