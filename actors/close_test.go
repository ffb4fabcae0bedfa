package actors_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
)

// No Connect hangs because the tree ended while its question was on the way.
func TestConnectsThatMeetCloseComeBackAtOnce(t *testing.T) {
	for range 20 {
		eachModeQuietly(t, func(f *fixture) {
			var connects sync.WaitGroup
			defer connects.Wait()
			busy := make(chan struct{}, 100) // room for as many as are looked at
			for range 8 {
				connects.Go(func() {
					for {
						select {
						case busy <- struct{}{}:
						default:
						}
						start := time.Now()
						s, err := f.Connect(context.Background(), request(task, "#"))
						if took := time.Since(start); took > time.Second {
							f.t.Errorf("Connect took %s", took)
						}
						if err != nil {
							return
						}
						s.Close()
					}
				})
			}
			for range 50 {
				<-busy
			}
			if err := f.Close(); err != nil {
				f.t.Error(err)
			}
		})
	}
}

func TestCloseMayBeCalledTwiceAndAtOnce(t *testing.T) {
	f := open(t, nil) // in real time: a lock that is waited for stops a bubble's
	f.ready(task, "#")
	var closing sync.WaitGroup
	for range 3 {
		closing.Go(func() {
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	closing.Wait()
	select {
	case <-f.Done():
	default:
		t.Fatal("closed, but not done")
	}
	if err := f.Err(); err != nil {
		t.Fatalf("Close is no failure: %v", err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A broker that does not answer must not keep the process from ending. Streams
// are told at once all the same.
func TestCloseComesBackWhileTheBrokerIsFrozen(t *testing.T) {
	for _, m := range modes {
		synctest.Test(t, func(t *testing.T) {
			f := openOn(t, amqp.NewMemory(), m.set)
			s := f.ready(task, "#")
			f.broker.Freeze()
			f.connect(task, "stuck")
			synctest.Wait()
			start := time.Now()
			err := f.Close()
			if took := time.Since(start); took > 10*time.Second {
				t.Fatalf("closed after %s", took)
			}
			left := map[bool]string{false: "2 channels are left", true: "1 channels are left"}[f.routed] // the routed queue serves both
			if err == nil || !strings.Contains(err.Error(), left) {
				t.Fatalf("have %v, want what was left", err)
			}
			f.ends(s, actors.ServerShutdown)
			f.broker.Thaw()
			f.forgive() // Close has said what it had to stop
		})
	}
}

// A host that calls into a port which never returns gets its process back.
func TestCloseComesBackThoughACallDoesNot(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		f.works()
		never := make(chan struct{})
		f.record.before(func(c call) error {
			if c.op == "declare" {
				<-never
			}
			return nil
		})
		f.connect(task, "#")
		synctest.Wait()
		start := time.Now()
		if err := f.Close(); err == nil || !strings.Contains(err.Error(), "not stopped: 1 channels") {
			f.t.Errorf("have %v", err)
		}
		if took := time.Since(start); took > 15*time.Second {
			f.t.Errorf("closed after %s", took)
		}
		close(never)
		f.forgive()
	})
}
