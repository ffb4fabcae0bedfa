package actors_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// A link's streams are told at once. Each is told how many they are, in both modes, or they would
// all be back in the same moment.
func TestStreamsThatEndTogetherAreToldToSpreadTheirReturn(t *testing.T) {
	const n = 40
	for _, end := range []struct {
		name   string
		happen func(f *fixture)
		code   actors.Code
	}{
		{"a link is lost", func(f *fixture) { f.broker.DropLinks() }, actors.BrokerLost},
		{"a drain", func(f *fixture) { f.Drain(bounded(f.t), time.Second) }, actors.ServerShutdown},
		{"the end of the process", func(f *fixture) { f.Close() }, actors.ServerShutdown},
	} {
		t.Run(end.name, func(t *testing.T) {
			eachMode(t, nil, func(f *fixture) {
				streams := f.crowd(n)
				end.happen(f)
				for _, s := range streams {
					if err := f.ends(s, end.code); err.Together != n {
						f.t.Fatalf("told that %d streams end together, want %d", err.Together, n)
					}
				}
			})
		})
	}
}

// The end of a single stream is not counted as a common end.
func TestAStreamThatEndsAloneMayComeBackSoon(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		streams := f.crowd(40)
		if n, err := f.End(actors.ByID(streams[0].ID()), nil); n != 1 || err != nil {
			f.t.Fatal(n, err)
		}
		if wait := f.ends(streams[0], actors.ServerShutdown).RetryAfter(); wait != time.Second {
			f.t.Fatalf("told to wait up to %v", wait)
		}
	})
}

// A broker's restart takes a second or two. Newcomers wait meanwhile, even where a dial has failed,
// instead of coming back again and again.
func TestNewcomersAfterALossWaitForTheNextLink(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s := f.ready(task, "#")
		var dials atomic.Int64
		f.record.before(func(c call) error {
			if c.op == "dial" && dials.Add(1) == 1 {
				return errNobodyThere
			}
			return nil
		})
		f.broker.DropLinks()
		synctest.Wait()
		f.ends(s, actors.BrokerLost)
		newcomers := f.crowd(20)
		pass(time.Second) // longer than two back-offs
		if n := dials.Load(); n != 2 {
			f.t.Fatalf("%d dials, want one that failed and one that did not", n)
		}
		for _, s := range newcomers {
			f.awaitReady(s)
		}
	})
}

// They wait for two seconds in all: a client must hear whether the service works.
func TestNewcomersAfterALossAreRefusedAfterTwoSeconds(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		f.ends(f.lose(), actors.BrokerLost)
		start := time.Now()
		newcomers := f.crowd(20)
		for _, s := range newcomers {
			err := f.ends(s, actors.BrokerUnavailable)
			if took := time.Since(start); took != 2*time.Second {
				f.t.Fatalf("told after %v", took)
			}
			if err.Together != 20 {
				f.t.Fatalf("told that %d are refused together", err.Together)
			}
		}
		f.ends(f.connect(task, "#"), actors.BrokerUnavailable)
		if took := time.Since(start); took != 2*time.Second {
			f.t.Fatalf("once it is known that there is no link, one is refused after %v", took)
		}
	})
}

// lose opens a stream, and stops the broker under it.
func (f *fixture) lose() *actors.Stream {
	f.t.Helper()
	s := f.ready(task, "#")
	f.broker.Stop()
	synctest.Wait()
	return s
}
