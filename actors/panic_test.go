package actors_test

import (
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

func (f *fixture) crash(role actors.Role, stream string) {
	f.t.Helper()
	if err := f.Crash(role, stream); err != nil {
		f.t.Fatal(err)
	}
}

// Isolation: one stream's defect is that stream's alone.
func TestAPanicEndsOneStreamWithInternalError(t *testing.T) {
	for _, role := range []actors.Role{actors.RoleConnection, actors.RoleConsumer, actors.RoleWorker} {
		with := modes
		if role != actors.RoleConnection {
			with = binding // the routed queue's consumer is everybody's
		}
		t.Run(string(role), func(t *testing.T) {
			eachOf(with, t, nil, func(f *fixture) {
				good, bad := f.ready(task, "#"), f.ready(task, "a.#")
				f.publish("a", 3)
				synctest.Wait()
				f.crash(role, bad.ID())
				f.messages(bad, 3) // what it had before is not lost
				err := f.ends(bad, actors.InternalError)
				if strings.Contains(err.Reason, string(role)) {
					f.t.Fatalf("the client is told of our actors: %q", err.Reason)
				}
				f.publish("a", 1)
				f.messages(good, 3)
				f.messages(good, 1)
				f.until("one stream is left", func() bool { return f.Stats().Streams == 1 && len(f.broker.Queues()) == 1 })
				if s := f.Stats(); s.Failures != 1 || s.Restarts != 0 {
					f.t.Fatalf("%d failures, %d restarts: nothing below connections is restarted", s.Failures, s.Restarts)
				}
			})
		})
	}
}

// A failure before there is a consumer has the same end.
func TestAPanicWhileTheStreamIsOpened(t *testing.T) {
	for _, role := range []actors.Role{actors.RoleConnection, actors.RoleConsumer, actors.RoleWorker} {
		t.Run(string(role), func(t *testing.T) {
			eachMode(t, nil, func(f *fixture) {
				f.works()
				goOn := make(chan struct{})
				f.record.before(func(c call) error {
					if c.op == "channel" {
						<-goOn
					}
					return nil
				})
				bad := f.connect(task, "bad")
				synctest.Wait()
				f.crash(role, bad.ID())
				synctest.Wait()
				close(goOn)
				f.ends(bad, actors.InternalError)
				f.works()
			})
		})
	}
}

// The client is not told what failed; the operator is, or the defect is never found.
func TestTheLogTellsWhatPanicked(t *testing.T) {
	for _, op := range []string{"channel", "declare", "consume", "bind", "next"} {
		t.Run(op, func(t *testing.T) {
			var log strings.Builder
			toLog := func(o *actors.Options) { o.Logger = slog.New(slog.NewTextHandler(&log, nil)) }
			bubble(t, toLog, func(f *fixture) {
				f.record.before(func(c call) error {
					if c.op == op {
						panic("planted in " + op)
					}
					return nil
				})
				f.ends(f.connect(task, "#"), actors.InternalError)
				f.clean()
				synctest.Wait()
				if !strings.Contains(log.String(), `reason="`) || !strings.Contains(log.String(), "planted in "+op) {
					f.t.Errorf("the log does not tell:\n%s", log.String())
				}
			})
		})
	}
}

// The upper actors are restarted. Their streams end with a word, and new ones
// work.
func TestTheTreeHealsAfterAPanic(t *testing.T) {
	for _, c := range []struct {
		role  actors.Role
		codes []actors.Code // of what the streams are told: when all ends, whichever end is noticed first
	}{
		{actors.RoleBroker, []actors.Code{actors.BrokerLost}},
		{actors.RoleConnections, []actors.Code{actors.InternalError}},
		{actors.RoleEvents, []actors.Code{actors.InternalError, actors.BrokerLost}},
	} {
		t.Run(string(c.role), func(t *testing.T) {
			eachMode(t, nil, func(f *fixture) {
				streams := []*actors.Stream{f.ready(task, "#"), f.ready(task, "#"), f.ready(task, "a")}
				f.crash(c.role, "")
				for _, s := range streams {
					if err := f.end(s); !slices.Contains(c.codes, err.Code) {
						f.t.Fatalf("the stream ended with %v, want one of %v", err, c.codes)
					}
				}
				f.clean()
				f.works()
				synctest.Wait()
				if n := f.Stats().Restarts; n == 0 {
					f.t.Fatal("no restart is counted")
				}
				if c.role != actors.RoleBroker {
					return
				}
				for _, a := range f.Snapshot().Actors {
					if a.Role == c.role && (a.Restarts != 1 || !strings.Contains(a.Failure, "asked for") || a.Mailbox != 0) {
						f.t.Fatalf("the tree shows %+v", a)
					}
				}
			})
		})
	}
}

// A stream that waits for a channel when the broker actor fails must not wait for
// ever: its successor knows nothing of them.
func TestStreamsThatWaitForAChannelAreToldOfTheBrokersPanic(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.Declares = 1 }, func(f *fixture) {
		goOn := make(chan struct{})
		f.record.before(func(c call) error {
			if c.op == "declare" {
				<-goOn
			}
			return nil
		})
		streams := []*actors.Stream{f.connect(task, "a"), f.connect(task, "b"), f.connect(task, "c")}
		synctest.Wait()
		f.crash(actors.RoleBroker, "")
		synctest.Wait()
		close(goOn)
		for _, s := range streams {
			f.ends(s, actors.BrokerUnavailable)
		}
		f.works()
	})
}

// A dial of the life before is no news to the next: it must neither refuse
// those who wait nor let a second dial start.
func TestTheBrokersNextLifeKnowsNothingOfTheLastOnesDial(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		f.broker.Freeze() // dials wait
		f.broker.DropLinks()
		synctest.Wait()
		pass(time.Second) // the back-off
		f.crash(actors.RoleBroker, "")
		synctest.Wait()
		waiting := f.connect(task, "#")
		synctest.Wait()
		if err := waiting.Ended(); err != nil {
			f.t.Fatalf("the stream was refused: %v", err)
		}
		if n := f.record.under("dial"); n != 1 {
			f.t.Fatalf("%d dials at a time", n)
		}
		f.broker.Thaw()
		f.awaitReady(waiting)
	})
}

// A child that fails again and again is a defect that restarting does not
// mend: the System ends, and Err returns why.
func TestTooManyRestartsEndTheSystem(t *testing.T) {
	for _, role := range []actors.Role{actors.RoleBroker, actors.RoleConnections, actors.RoleEvents} {
		t.Run(string(role), func(t *testing.T) {
			eachMode(t, nil, func(f *fixture) {
				s := f.ready(task, "#")
				if f.Err() != nil {
					f.t.Fatal("an error before the end")
				}
				for range 20 {
					if f.Crash(role, "") != nil {
						break
					}
					synctest.Wait()
				}
				select {
				case <-f.Done():
				case <-time.After(time.Minute):
					f.t.Fatal("the System goes on")
				}
				if err := f.Err(); err == nil {
					f.t.Fatal("Err does not tell why")
				}
				f.end(s) // was told
				if _, err := f.Connect(f.t.Context(), request(task, "#")); actors.CodeOf(err) != actors.Draining {
					f.t.Fatalf("a new stream gets %v", err)
				}
				if s := f.Stats(); s.Streams != 0 {
					f.t.Fatalf("Done with %d streams open", s.Streams)
				}
			})
		})
	}
}

// Once Done is closed, nothing of the tree is left, and every
// stream was told.
func TestDoneComesWhenNothingIsLeft(t *testing.T) {
	for _, role := range []actors.Role{actors.RoleBroker, actors.RoleConnections} {
		t.Run(string(role), func(t *testing.T) {
			eachMode(t, nil, func(f *fixture) {
				var streams []*actors.Stream
				for range 20 {
					streams = append(streams, f.connect(task, "#"))
				}
				var crashing sync.WaitGroup
				crashing.Go(func() {
					for f.Crash(role, "") == nil {
						continue
					}
				})
				<-f.Done()
				left := f.Snapshot().Actors
				for _, s := range streams {
					if s.Ended() == nil {
						f.t.Error("a stream was not told")
					}
				}
				crashing.Wait()
				if len(left) > 0 {
					f.t.Errorf("done, but %v are left", left)
				}
			})
		})
	}
}

// Three failures in a long time are three restarts.
func TestRareFailuresNeverEndTheSystem(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		for range 10 {
			f.crash(actors.RoleBroker, "")
			pass(11 * time.Second)
		}
		f.works()
	})
}

// A failure may meet the System's end at any point. A child that is restarted
// by a parent that stops would keep it from ever stopping.
func TestCloseComesBackHoweverAPanicMeetsIt(t *testing.T) {
	for _, role := range []actors.Role{actors.RoleBroker, actors.RoleConnections, actors.RoleEvents, actors.RoleConnection, actors.RoleWorker} {
		t.Run(string(role), func(t *testing.T) {
			for range 30 {
				eachModeQuietly(t, func(f *fixture) {
					s := f.ready(task, "#")
					f.ready(task, "a")
					var crashing sync.WaitGroup
					crashing.Go(func() { _ = f.Crash(role, s.ID()) }) // refused, or without an answer, or in time
					if err := f.Close(); err != nil {
						f.t.Error(err)
					}
					crashing.Wait()
				})
			}
		})
	}
}

// An embedding program's own code runs in our actors when events come.
func TestAReaderThatPanicsCountsAsGone(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		good := f.ready(task, "#")
		bad := f.connect(task, "a")
		synctest.Wait()
		bad.Take(nil)
		bad.Notify(func() { panic("the reader's defect") })
		f.publish("a", 1)
		f.messages(good, 1)
		f.until("the reader is gone", func() bool { return f.Stats().Ended[actors.ClientGone] == 1 })
		f.crash(actors.RoleConnections, "") // ends streams in the actor's own turn
		f.ends(good, actors.InternalError)
		f.works()
	})
}

func TestCrashNeedsTheOperatorsConsentAndAnActor(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Chaos = false }, func(f *fixture) {
		if f.Crash(actors.RoleBroker, "") == nil {
			f.t.Fatal("a crash without Options.Chaos")
		}
	})
	bubble(t, nil, func(f *fixture) {
		if err := f.Crash(actors.RoleConnection, "nobody"); err == nil {
			f.t.Fatal("the crash of an unknown stream succeeded")
		}
	})
}
