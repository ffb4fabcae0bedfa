package actors_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

func window(prefetch int) func(*actors.Options) {
	return func(o *actors.Options) { o.Limits.Prefetch = prefetch }
}

// A reader that has stopped is cut by time, and learns why if it ever comes
// back.
func TestAReaderThatStopsIsCut(t *testing.T) {
	bubble(t, window(5), func(f *fixture) {
		stuck, good := f.connect(task, "#"), f.connect(task, "#")
		synctest.Wait()
		f.publish("a", 20)
		f.awaitReady(good)
		f.messages(good, 20)
		pass(14 * time.Second)
		if err := stuck.Ended(); err != nil {
			f.t.Fatalf("cut too early: %v", err)
		}
		pass(2 * time.Second)
		f.awaitReady(stuck)
		f.messages(stuck, 5) // its window, and not more
		f.ends(stuck, actors.SlowConsumer)
		f.publish("a", 1)
		f.messages(good, 1)
		if n := f.Stats().Ended[actors.SlowConsumer]; n != 1 {
			f.t.Fatalf("%d were cut", n)
		}
	})
}

// A reader that is slow but reads is not cut for being slow, as long as the
// broker's backlog stays small.
func TestASlowReaderThatReadsIsNotCut(t *testing.T) {
	bubble(t, window(5), func(f *fixture) {
		s := f.ready(task, "#")
		f.publish("a", 60)
		for i := range 60 {
			pass(7 * time.Second) // half of SlowAfter
			if m := f.message(s); string(m.Body) != fmt.Sprintf(`{"n":%d}`, i) {
				f.t.Fatalf("message %d is %s", i, m.Body)
			}
		}
	})
}

// A reader that reports that bytes still go out is not taken for one that has stopped, with a
// message that takes a client minutes.
func TestAReaderWhoseMessageMovesIsNotCut(t *testing.T) {
	bubble(t, window(1), func(f *fixture) {
		s := f.connect(task, "#")
		synctest.Wait()
		f.publish("a", 2)
		synctest.Wait()
		s.Take(nil)
		for range 60 {
			pass(5 * time.Second)
			if s.Moving(); s.Ended() != nil {
				f.t.Fatal(s.Ended())
			}
		}
		pass(20 * time.Second)
		f.ends(s, actors.SlowConsumer)
	})
}

// Nothing is dropped: the stream is cut long before the broker's queue is full.
func TestAReaderThatIsTooSlowIsCutByItsBacklog(t *testing.T) {
	eachMode(t, func(o *actors.Options) {
		o.Limits.Prefetch, o.Limits.FeedPrefetch, o.Limits.Backlog, o.Limits.BacklogBytes = 5, 5, 100, 100
	}, func(f *fixture) {
		s := f.ready(task, "#")
		f.publish("a", 200)
		for read := range 200 {
			pass(500 * time.Millisecond)
			event := f.next(s)
			if err, ok := event.(*actors.Error); ok {
				if err.Code != actors.SlowConsumer {
					f.t.Fatal(err)
				}
				f.clean()
				return
			}
			if m, ok := event.(*actors.Message); !ok || string(m.Body) != fmt.Sprintf(`{"n":%d}`, read) {
				f.t.Fatalf("message %d is %v: something was dropped", read, event)
			}
		}
		f.t.Fatal("it was not cut")
	})
}

// A burst that fills the window after a time without messages finds a reader that keeps
// up: what counts is how long the window has been full.
func TestABurstAfterAQuietTimeCutsNobody(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Prefetch, o.Limits.SlowAfter = 2, time.Second }, func(f *fixture) {
		s := f.ready(task, "#")
		for range 20 {
			f.publish("a", 4)
			pass(700 * time.Millisecond)
			f.messages(s, 4)
			pass(300 * time.Millisecond)
		}
		if err := s.Ended(); err != nil {
			f.t.Fatal(err)
		}
	})
}

// A reader that never reads costs a window of memory, and no pings pile up.
func TestAReaderThatNeverReadsCollectsNoPings(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.connect(task, "#")
		pass(time.Hour)
		if n := len(s.Take(nil)); n != 2 {
			f.t.Fatalf("%d events wait after an hour, want ping and ready", n)
		}
	})
}

func TestPingsComeEveryPeriodWithinTenPercent(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.ready(task, "#")
		last := time.Now()
		gaps := map[time.Duration]bool{}
		for range 20 {
			ping, ok := f.next(s).(actors.Ping)
			if !ok {
				f.t.Fatal("no ping")
			}
			gap := ping.Time.Sub(last)
			if gap < 18*time.Second || gap > 22*time.Second {
				f.t.Fatalf("%s between two pings", gap)
			}
			last, gaps[gap] = ping.Time, true
		}
		if len(gaps) < 2 {
			f.t.Fatal("streams that were opened together ping together")
		}
	})
}

// The queue of a feed is not one reader's: a reader that stops alone with
// it must neither keep its feed from ever reading nor be forgotten.
func TestTheOnlyReaderOfASharedQueueIsCutWhenItStops(t *testing.T) {
	eachOf(feeding, t, func(o *actors.Options) { o.Limits.BacklogBytes = 1000 }, func(f *fixture) {
		s := f.ready(task, "#")
		f.publish("a", 200)
		pass(20 * time.Second)
		f.ends(s, actors.SlowConsumer)
		f.works()
	})
}

// Most of the readers have stopped: those are cut, and the one that reads goes on.
func TestReadersOfASharedQueueThatStopDoNotStarveTheOthers(t *testing.T) {
	eachOf(feeding, t, func(o *actors.Options) { o.Limits.BacklogBytes = 256 << 10 }, func(f *fixture) {
		const count = 1000 // of a KiB: four times what may wait for one
		good := f.ready(task, "#")
		stuck := []*actors.Stream{f.ready(task, "#"), f.ready(task, "#"), f.ready(task, "#")}
		body := []byte(`"` + strings.Repeat("x", 1<<10) + `"`)
		var publishing sync.WaitGroup
		publishing.Go(func() {
			for range count {
				f.publishTo(context.Background(), task, "a", amqp.Message{Body: body})
			}
		})
		start := time.Now()
		for range count {
			f.message(good)
		}
		publishing.Wait()
		if took := time.Since(start); took > 5*time.Second {
			f.t.Fatalf("the reader that reads got its messages after %s", took)
		}
		for _, s := range stuck {
			f.ends(s, actors.SlowConsumer)
		}
	})
}

// The reader's own verdict, such as a missed write deadline, is counted as such.
func TestAReaderMayFailItsStream(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.ready(task, "#")
		f.publish("a", 1)
		synctest.Wait()
		s.Fail(&actors.Error{Code: actors.SlowConsumer, Reason: "the client did not take its bytes in time"})
		f.messages(s, 1)
		f.ends(s, actors.SlowConsumer)
		f.clean()
		if n := f.Stats().Ended[actors.SlowConsumer]; n != 1 {
			f.t.Fatalf("counted %v", f.Stats().Ended)
		}
	})
}
