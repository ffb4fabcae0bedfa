package actors_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// crowd connects some streams that are ready, and are not read.
func (f *fixture) crowd(n int) (streams []*actors.Stream) {
	f.t.Helper()
	for range n {
		streams = append(streams, f.connect(task, "#"))
	}
	synctest.Wait()
	return streams
}

func TestDrainTellsEveryStreamAndLeavesNothing(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		streams := f.crowd(40)
		f.publish("a", 2)
		synctest.Wait()
		if err := f.Drain(bounded(f.t), 0); err != nil {
			f.t.Fatal(err)
		}
		f.clean()
		for _, s := range streams {
			f.awaitReady(s)
			f.messages(s, 2) // what was accepted before comes before the end
			f.ends(s, actors.ServerShutdown)
		}
		if n := f.Stats().Ended[actors.ServerShutdown]; n != 40 {
			f.t.Fatalf("%d ended with ServerShutdown", n)
		}
		if h := f.Health(); !h.Draining || !h.BrokerUp {
			f.t.Fatalf("%+v: the links stay until Close", h)
		}
	})
}

// Ten thousand clients that come back at once would be the next one's problem.
func TestDrainSpreadsTheEndsOverTime(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		f.crowd(100)
		start := time.Now()
		var draining sync.WaitGroup
		draining.Go(func() {
			if err := f.Drain(bounded(f.t), 10*time.Second); err != nil {
				f.t.Error(err)
			}
		})
		for _, c := range []struct {
			after       time.Duration
			least, most int
		}{{time.Second, 80, 95}, {5 * time.Second, 40, 60}, {9 * time.Second, 5, 20}} {
			pass(c.after - time.Since(start))
			if n := f.Health().Streams; n < c.least || n > c.most {
				f.t.Errorf("%d streams are left after %s", n, c.after)
			}
		}
		draining.Wait()
		if took := time.Since(start); took > 11*time.Second {
			f.t.Errorf("the drain took %s", took)
		}
	})
}

// The second signal means now.
func TestASecondDrainHastensTheFirst(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		f.crowd(50)
		var slow sync.WaitGroup
		slow.Go(func() {
			if err := f.Drain(bounded(f.t), time.Hour); err != nil {
				f.t.Error(err)
			}
		})
		pass(30 * time.Second)
		start := time.Now()
		if err := f.Close(); err != nil {
			f.t.Error(err)
		}
		if took := time.Since(start); took > time.Second {
			f.t.Errorf("closed after %s", took)
		}
		slow.Wait()
	})
}

// While it drains the service takes nothing on: neither new streams nor those
// that asked a moment ago are left without a word.
func TestConnectsThatMeetADrainAreRefusedOrEnded(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		var connects sync.WaitGroup
		var admitted, refused sync.Map
		for i := range 50 {
			connects.Go(func() {
				s, err := f.Connect(f.t.Context(), request(task, "#"))
				switch {
				case err == nil:
					admitted.Store(i, s)
				case actors.CodeOf(err) == actors.Draining:
					refused.Store(i, true)
				default:
					f.t.Error(err)
				}
			})
		}
		if err := f.Drain(bounded(f.t), 0); err != nil {
			f.t.Fatal(err)
		}
		connects.Wait()
		admitted.Range(func(_, s any) bool { f.ends(s.(*actors.Stream), actors.ServerShutdown); return true })
		if _, err := f.Connect(f.t.Context(), request(task, "#")); actors.CodeOf(err) != actors.Draining {
			f.t.Fatalf("a new stream gets %v", err)
		}
		if err := f.Admissible(f.t.Context(), ""); actors.CodeOf(err) != actors.Draining {
			f.t.Fatalf("Admissible says %v", err)
		}
		f.clean()
	})
}

// The operator learns what holds the drain up.
func TestADrainThatCannotEndNamesWhatIsLeft(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		streams := f.crowd(3)
		goOn := make(chan struct{})
		f.record.before(func(c call) error {
			if c.op == "bind" {
				<-goOn
			}
			return nil
		})
		f.connect(task, "stuck")
		synctest.Wait()
		ctx, cancel := context.WithTimeout(f.t.Context(), time.Second)
		defer cancel()
		err := f.Drain(ctx, 0)
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "0 streams () and 1 channels are left") {
			f.t.Fatalf("have %v", err)
		}
		ctx2, cancel2 := context.WithTimeout(f.t.Context(), time.Second)
		defer cancel2()
		close(goOn)
		if err := f.Drain(ctx2, 0); err != nil {
			f.t.Fatal(err)
		}
		for _, s := range streams {
			f.ends(s, actors.ServerShutdown)
		}
	})
}

// Streams that are spread beyond the deadline are named, the first ten.
func TestADrainThatIsGivenUpNamesItsStreams(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		streams := f.crowd(30)
		ctx, cancel := context.WithTimeout(f.t.Context(), 10*time.Millisecond)
		defer cancel()
		err := f.Drain(ctx, time.Hour)
		if err == nil || !strings.Contains(err.Error(), "29 streams (") || strings.Count(err.Error(), " ") < 10 {
			f.t.Fatalf("have %v", err)
		}
		named := 0
		for _, s := range streams {
			if strings.Contains(err.Error(), s.ID()) {
				named++
			}
		}
		if named != 10 {
			f.t.Fatalf("%d streams are named", named)
		}
	})
}

// A drain's answer may be lost with the actor that owes it.
func TestADrainOutlivesARestart(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		f.crowd(20)
		var draining sync.WaitGroup
		draining.Go(func() {
			if err := f.Drain(bounded(f.t), 10*time.Second); err != nil {
				f.t.Error(err)
			}
		})
		pass(time.Second)
		f.crash(actors.RoleConnections, "")
		draining.Wait()
		if !f.Health().Draining {
			f.t.Fatal("the drain is forgotten")
		}
	})
}
