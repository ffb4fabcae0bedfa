package random

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/test/chaos/faults"
)

func kinds() []Harm {
	return []Harm{
		{Name: "one", Scope: OneStream}, {Name: "two", Scope: OneGroup}, {Name: "three", Scope: OneStream},
		{Name: "link", Scope: Everyone, Every: 3 * time.Second}, {Name: "crash", Scope: Everyone, Every: 5 * time.Second},
	}
}

// Who reports a seed has reported the run: the same seed is the same schedule.
func TestAScheduleDependsOnTheSeedAlone(t *testing.T) {
	a, b := draw(7, kinds(), 50, 10*time.Second, 50*time.Millisecond), draw(7, kinds(), 50, 10*time.Second, 50*time.Millisecond)
	if !slices.Equal(a, b) {
		t.Error("two draws of one seed differ")
	}
	if c := draw(8, kinds(), 50, 10*time.Second, 50*time.Millisecond); slices.Equal(a, c) {
		t.Error("another seed is the same schedule")
	}
}

// Each kind is reached, in a run of two seconds too, and none more often than it
// allows.
func TestEveryKindIsDrawnAndNoneTooOften(t *testing.T) {
	for _, during := range []time.Duration{2 * time.Second, time.Minute} {
		for seed := range uint64(50) {
			last := map[string]time.Duration{}
			for _, step := range draw(seed, kinds(), 50, during, 50*time.Millisecond) {
				i := slices.IndexFunc(kinds(), func(k Harm) bool { return k.Name == step.Name })
				before, again := last[step.Name]
				if again && step.At-before < kinds()[i].Every {
					t.Fatalf("seed %d: %s at %s and again at %s", seed, step.Name, before, step.At)
				}
				last[step.Name] = step.At
				if step.At >= during || step.Client < 0 || step.Client >= 50 {
					t.Fatalf("seed %d: %+v", seed, step)
				}
			}
			if len(last) != len(kinds()) {
				t.Fatalf("seed %d, %s: only %v were drawn", seed, during, last)
			}
		}
	}
}

// Of many harms the two that fail only together are left.
func TestAFailingScheduleIsShrunk(t *testing.T) {
	var all []Step
	for i := range 200 {
		all = append(all, Step{At: time.Duration(i), Name: "harm", Client: i})
	}
	runs := 0
	short := Shrink(all, 1000, func(part []Step) bool {
		runs++
		return has(part, 17) && has(part, 150)
	})
	if len(short) != 2 || !has(short, 17) || !has(short, 150) {
		t.Errorf("%d are left after %d runs: %v", len(short), runs, short)
	}
	runs = 0
	if Shrink(all, 5, func([]Step) bool { runs++; return false }); runs > 5 {
		t.Errorf("%d runs, and 5 were allowed", runs)
	}
}

// What needs quiet has it: nothing that befalls everyone is near it. In a run too short for that it
// is not drawn.
func TestWhatNeedsQuietHasIt(t *testing.T) {
	all := append(kinds(), Harm{Name: "quiet", Scope: NoStream, Quiet: 5 * time.Second, Every: 10 * time.Second})
	wide := []string{"link", "crash", "quiet"}
	for seed := range uint64(50) {
		count, last, lastQuiet := 0, time.Duration(-time.Hour), time.Duration(-time.Hour)
		for _, step := range draw(seed, all, 50, 2*time.Minute, 50*time.Millisecond) {
			if !slices.Contains(wide, step.Name) {
				continue
			}
			if step.At-lastQuiet < 5*time.Second || step.Name == "quiet" && step.At-last < 2*time.Second {
				t.Fatalf("seed %d: %s at %s, after others at %s and %s", seed, step.Name, step.At, last, lastQuiet)
			}
			if last = step.At; step.Name == "quiet" {
				lastQuiet = step.At
				count++
			}
		}
		if count < 2 {
			t.Errorf("seed %d: it was drawn %d times", seed, count)
		}
		if steps := draw(seed, all, 50, 10*time.Second, 50*time.Millisecond); slices.ContainsFunc(steps, func(s Step) bool { return s.Name == "quiet" }) {
			t.Errorf("seed %d: it was drawn in a short run", seed)
		}
	}
}

// A run that is behind its schedule does not make up for it: what is asked for keeps its distance.
func TestHarmsKeepTheirDistanceInALateRun(t *testing.T) {
	p, now := pacing{last: map[string]time.Time{}}, time.Now()
	crash, quiet := Harm{Name: "crash", Scope: Everyone, Every: 5 * time.Second}, Harm{Name: "quiet", Scope: NoStream, Quiet: 3 * time.Second}
	for i, step := range []struct {
		kind  Harm
		under int
		after time.Duration
		ok    bool
	}{
		{crash, 0, 0, true}, {crash, 0, 4 * time.Second, false}, {crash, 1, 5 * time.Second, true}, {quiet, 2, 6 * time.Second, true},
		{Harm{Name: "link", Scope: Everyone}, 0, 8 * time.Second, false}, {Harm{Name: "one", Scope: OneStream}, 2, 8 * time.Second, true},
		{Harm{Name: "link", Scope: Everyone}, 2, 9 * time.Second, false}, {Harm{Name: "link", Scope: Everyone}, 1, 9 * time.Second, true},
	} {
		if got := p.allows(step.kind, step.under, now.Add(step.after)); got != step.ok {
			t.Errorf("%d: %s after %s: %t", i, step.kind.Name, step.after, got)
		}
	}
}

// What is insisted on after the schedule keeps its quiet too.
func TestWhatIsInsistedOnKeepsItsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := Options{}.withDefaults()
		c := &conductor{options: o, book: newBook(o)}
		var asked []time.Time
		kind := Harm{Name: "quiet", Scope: NoStream, Quiet: 5 * time.Second, Watch: func(context.Context) (faults.Sign, error) {
			asked = append(asked, time.Now())
			return nil, errors.New("not now")
		}}
		c.harms.count = map[string]*HarmCount{kind.Name: {Name: kind.Name}}
		c.insist(t.Context(), []Harm{kind})
		if len(asked) != again || asked[1].Sub(asked[0]) < kind.Quiet || time.Since(asked[2]) < kind.Quiet {
			t.Errorf("asked at %v", asked)
		}
	})
}

func has(steps []Step, client int) bool {
	return slices.ContainsFunc(steps, func(s Step) bool { return s.Client == client })
}

// A failure is read from the proxy's own log, with what its supervisor decides.
func TestFailuresAreReadFromTheLog(t *testing.T) {
	f, ok := FailureIn(`time=2026-11-25T18:53:50Z level=ERROR msg="actor failed" role=consumer stream=w1Rf reason="InternalError: A failure was asked for"`)
	if !ok || f.Role != "consumer" || f.Actor != "w1Rf" || f.Decision != "stopped" || f.Reason != "InternalError: A failure was asked for" {
		t.Errorf("%t %+v", ok, f)
	}
	if f, _ = FailureIn(`msg="actor failed" role=broker stream="" reason=x`); f.Decision != "restarted" || f.Reason != "x" || f.Actor != "" {
		t.Errorf("%+v", f)
	}
	if _, ok = FailureIn(`level=INFO msg="broker link up" links=1`); ok {
		t.Error("a link that is up is no failure")
	}
}
