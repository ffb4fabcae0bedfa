package actors_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/taskcluster/events-proxy/actors"
)

// Readers leave at every point of a stream's life. However many, nothing of
// them is left, and those who stay do not notice.
func TestReadersThatLeaveLeaveNothing(t *testing.T) {
	const readers = 1000
	for _, stage := range []struct {
		name  string
		leave func(f *fixture, s *actors.Stream)
	}{
		{"at once", func(_ *fixture, s *actors.Stream) { s.Close() }},
		{"after the first ping", func(f *fixture, s *actors.Stream) { f.next(s); s.Close() }},
		{"when ready", func(f *fixture, s *actors.Stream) { f.awaitReady(s); s.Close() }},
		{"in mid-burst", func(f *fixture, s *actors.Stream) { f.awaitReady(s); f.publish("a", 3); f.next(s); s.Close() }},
		{"twice", func(_ *fixture, s *actors.Stream) { s.Close(); s.Close() }},
	} {
		t.Run(stage.name, func(t *testing.T) {
			eachMode(t, func(o *actors.Options) { o.Limits.Linger = 1 }, func(f *fixture) {
				stays := f.ready(task, "#")
				var leaving sync.WaitGroup
				for range 8 {
					leaving.Go(func() {
						for range readers / 8 {
							stage.leave(f, f.connect(task, "a.#"))
						}
					})
				}
				leaving.Wait()
				if stage.name == "in mid-burst" {
					for range 3 * readers {
						f.message(stays)
					}
				}
				stays.Close()
				f.clean()
				synctest.Wait()
				s := f.Stats()
				if s.Ended[actors.ClientGone] != readers+1 || len(s.Ended) != 1 {
					f.t.Fatalf("ended: %v", s.Ended)
				}
				if n := len(f.Snapshot().Actors); n > 4 {
					f.t.Fatalf("%d actors are left", n)
				}
			})
		})
	}
}

// Streams that were left are garbage, even where nothing is published and other readers stay on
// their queue. A few may still be reachable: from the last message of a mailbox, or from a pool of
// buffers. The clock has to pass the time of the next ping: a stopped timer of a bubble is
// reachable until then.
func TestStreamsThatWereLeftAreForgotten(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		f.ready(task, "#")
		var left []weak.Pointer[actors.Stream]
		for range 100 {
			s, err := f.Connect(f.t.Context(), request(task, "#"))
			if err != nil {
				f.t.Fatal(err)
			}
			f.awaitReady(s)
			s.Close()
			left = append(left, weak.Make(s))
		}
		pass(time.Minute)
		kept := len(left)
		for range 10 { // more than one, for pools that forget in two steps
			runtime.GC()
		}
		for _, s := range left {
			if s.Value() == nil {
				kept--
			}
		}
		if kept > 10 {
			f.t.Fatalf("%d of 100 streams are kept", kept)
		}
	})
}

// A reader that leaves while it waits frees its place in the queue.
func TestReadersThatLeaveWhileTheyWaitForAChannel(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Declares = 1 }, func(f *fixture) {
		goOn := make(chan struct{})
		f.record.before(func(c call) error {
			if c.op == "declare" {
				<-goOn
			}
			return nil
		})
		first := f.connect(task, "first")
		synctest.Wait() // it has the channel; those who follow wait
		for range 100 {
			f.connect(task, "waits").Close()
		}
		last := f.connect(task, "last")
		synctest.Wait()
		if n := f.Stats().Waiting; n != 1 {
			f.t.Fatalf("%d wait, want the one that has not left", n)
		}
		close(goOn)
		f.awaitReady(first)
		f.awaitReady(last)
		if n := f.record.count("declare"); n != 2 {
			f.t.Fatalf("%d queues were declared for two readers", n)
		}
	})
}

// A context that has ended before asks for nothing.
func TestConnectWithAnEndedContextOpensNothing(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		ctx, cancel := context.WithCancel(f.t.Context())
		cancel()
		if _, err := f.Connect(ctx, request(task, "#")); actors.CodeOf(err) != actors.AccessRevoked || !errors.Is(err, context.Canceled) {
			f.t.Fatal(err)
		}
		if err := f.Admissible(ctx, ""); err != context.Canceled {
			f.t.Fatal(err)
		}
		if n := f.Stats().Opened; n != 0 {
			f.t.Fatalf("%d were opened", n)
		}
	})
}

// Next in one goroutine, Close in another: the first must not wait for ever.
func TestCloseWakesTheNextThatWaits(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		s := f.ready(task, "#")
		var reading sync.WaitGroup
		reading.Go(func() {
			if event, err := s.Next(context.Background()); err == nil {
				f.t.Errorf("a closed stream returned %v", event)
			}
		})
		synctest.Wait()
		s.Close()
		reading.Wait()
	})
}
