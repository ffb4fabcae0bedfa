package faults

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp/brokertest/rabbit"
	"github.com/taskcluster/events-proxy/test/script"
)

// rest is what the process has while no stream is open.
type rest struct{ goroutines, descriptors int }

func restNow() rest {
	return rest{goroutines: runtime.NumGoroutine(), descriptors: descriptors()}
}

// descriptors returns the number of open file descriptors of this process, as counted by
// the kernel.
func descriptors() int {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(entries)
}

// clean is the promise: within five seconds of the streams' end nothing of them
// is left, no queue, consumer, channel or binding on the broker, no actor,
// worker, goroutine or descriptor here.
func (r *rig) clean() {
	r.Helper()
	r.within(rabbit.CleanWithin, "everything is clean", func() error { return r.leftovers(r.rest) })
}

func (r *rig) leftovers(rest rest) error {
	return errors.Join(r.onBroker(), r.inSystem(), inProcess(rest))
}

func (r *rig) onBroker() error {
	ctx, cancel := r.bounded()
	defer cancel()
	census, err := r.broker.Census(ctx)
	if err == nil && census != (script.Census{}) {
		err = fmt.Errorf("the broker still has %+v", census)
	}
	return err
}

func (r *rig) inSystem() error {
	snapshot := r.proxy.System.Snapshot()
	if s := snapshot.Stats; s.Streams != 0 || s.Leases != 0 || s.Waiting != 0 || s.Workers != 0 {
		return fmt.Errorf("the system still has %d streams, %d channels, %d waiting, %d workers", s.Streams, s.Leases, s.Waiting, s.Workers)
	}
	if l := r.proxy.Ledger; l.Opened.Load() != l.Closed.Load() {
		return fmt.Errorf("%d channels were opened and %d closed", l.Opened.Load(), l.Closed.Load())
	}
	for _, a := range snapshot.Actors {
		if a.Stream != "" {
			return fmt.Errorf("the tree still has a %s of stream %s", a.Role, a.Stream)
		}
	}
	return nil
}

func inProcess(rest rest) error {
	now := restNow()
	if now.goroutines <= rest.goroutines && now.descriptors <= rest.descriptors {
		return nil
	}
	return fmt.Errorf("the process has %d goroutines and %d descriptors, and had %d and %d at rest",
		now.goroutines, now.descriptors, rest.goroutines, rest.descriptors)
}

// eventually asks until the answer is nil, within half a minute.
func (r *rig) eventually(what string, ask func() error) {
	r.Helper()
	r.within(30*time.Second, what, ask)
}

func (r *rig) within(limit time.Duration, what string, ask func() error) {
	r.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	expired := time.After(limit)
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-expired:
			stacks := make([]byte, 1<<20)
			r.Fatalf("not within %v: %s: %v\n%s", limit, what, err, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

// queues reports whether the broker has n queues of streams, each with its consumer.
func (r *rig) queues(n int) error {
	ctx, cancel := r.bounded()
	defer cancel()
	census, err := r.broker.Census(ctx)
	if err == nil && (census.Queues-census.DeadLetters != n || census.Consumers-census.DeadLetters != n) {
		err = fmt.Errorf("the broker has %+v, not %d queues", census, n)
	}
	return err
}
