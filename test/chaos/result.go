package chaos

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taskcluster/events-proxy/test/script"
)

// Result is how one script went.
type Result struct {
	Script     string  `json:"script"`
	Claim      string  `json:"claim"` // its first line, see script.Claim
	Passed     bool    `json:"passed"`
	Seconds    float64 `json:"seconds"`
	Evidence   string  `json:"evidence"` // what the broker holds of the proxy's, in the end
	Transcript string  `json:"transcript,omitempty"`
}

// Play plays scripts one after another, in their order, and reports each as it
// ends. Everything that they start has ended when it returns. When ctx ends, the
// script under way is played to its end, and no other: not all have passed then.
func Play(ctx context.Context, p script.Params, files []string, report func(Result)) (passed bool) {
	passed = true
	for _, file := range files {
		if ctx.Err() != nil {
			return false
		}
		result := playOne(p, file)
		passed = passed && result.Passed
		report(result)
	}
	return passed
}

func playOne(p script.Params, file string) Result {
	name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file))
	witness := &witness{Brokers: p.Brokers}
	p.Brokers = witness
	claim, _ := script.Claim(file) // whoever opens without one sees the first line
	start := time.Now()
	t := &player{}
	t.wait(func() { script.Play(t, p, []string{file}) })
	return Result{
		Script: name, Claim: claim, Passed: !t.failed(), Seconds: time.Since(start).Seconds(),
		Evidence: witness.evidence(), Transcript: t.log(),
	}
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
		return nobodyLooked
	}
	return strings.Join(w.found, "; ")
}

// witnessed notes what is left when its script closes it.
type witnessed struct {
	script.Broker
	witness *witness
}

// URL is the broker's own.
func (w witnessed) URL() string {
	if b, ok := w.Broker.(interface{ URL() string }); ok {
		return b.URL()
	}
	return ""
}

func (w witnessed) Close() error {
	err := w.Broker.Close()
	found := nobodyLooked
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

func (p *player) log() string { p.mu.Lock(); defer p.mu.Unlock(); return p.text.String() }

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

// Verbose says that the transcript is wanted.
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

// Print writes a result for people: the claim, what proves it, and where it
// failed the transcript.
func (r Result) Print(w io.Writer, verbose bool) {
	mark := "pass"
	if !r.Passed {
		mark = "FAIL"
	}
	fmt.Fprintf(w, "%s  %-28s %5.1fs  %s\n      broker: %s\n", mark, r.Script, r.Seconds, r.Claim, r.Evidence)
	if verbose || !r.Passed {
		for line := range strings.Lines(r.Transcript) {
			fmt.Fprint(w, "      | ", line)
		}
		fmt.Fprintln(w)
	}
}
