package faults

import (
	"errors"
	"fmt"
	"math"
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

// clean is the promise: nothing is left of the streams that have ended, no queue, consumer, channel or
// binding on the broker, no actor, worker, goroutine or descriptor here. The test must not be parallel:
// what the process has belongs to all its proxies.
func (r *rig) clean() {
	r.Helper()
	if n := rigs.Load(); n != 1 {
		r.Fatalf("%d proxies run in this process: a test that counts what it has must not be parallel", n)
	}
	r.vanishes(r.rest)
}

// vanishes waits until nothing is left, as long as it becomes less, and then for rabbit.CleanWithin: a
// machine with other work has more time for five hundred streams, and none for one that stays.
func (r *rig) vanishes(rest rest) {
	r.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	stalled := time.NewTimer(rabbit.CleanWithin)
	defer stalled.Stop()
	for least := math.MaxInt; ; {
		count, err := r.leftovers(rest)
		if err == nil {
			return
		}
		if count < least {
			least = count
			stalled.Reset(rabbit.CleanWithin)
		}
		select {
		case <-tick.C:
		case <-stalled.C:
			r.late(rabbit.CleanWithin, "anything more goes", err)
		}
	}
}

// leftovers returns what is left, as a number and in words; nil where it is nothing.
func (r *rig) leftovers(rest rest) (count int, err error) {
	onBroker, of := r.onBroker()
	inSystem, in := r.inSystem()
	inProcess, here := inProcess(rest)
	return onBroker + inSystem + inProcess, errors.Join(of, in, here)
}

func (r *rig) onBroker() (int, error) {
	ctx, cancel := r.bounded()
	defer cancel()
	census, err := r.broker.Census(ctx)
	if err != nil {
		return 1 << 20, err // it is not known to be less
	}
	if census != (script.Census{}) {
		err = fmt.Errorf("the broker still has %+v", census)
	}
	return census.Queues + census.Consumers + census.Bindings + census.Channels + census.Exchanges, err
}

func (r *rig) inSystem() (int, error) {
	snapshot := r.proxy.System.Snapshot()
	s, opened, closed, actors := snapshot.Stats, r.proxy.Ledger.Opened.Load(), r.proxy.Ledger.Closed.Load(), 0
	for _, a := range snapshot.Actors {
		if a.Stream != "" {
			actors++
		}
	}
	count := int(s.Streams) + int(s.Leases) + int(s.Waiting) + int(s.Workers) + int(max(opened-closed, closed-opened)) + actors
	if count == 0 {
		return 0, nil
	}
	return count, fmt.Errorf("the system still has %d streams, %d channels, %d waiting, %d workers, %d actors of streams; %d channels were opened and %d closed",
		s.Streams, s.Leases, s.Waiting, s.Workers, actors, opened, closed)
}

func inProcess(rest rest) (int, error) {
	now := restNow()
	count := max(now.goroutines-rest.goroutines, 0) + max(now.descriptors-rest.descriptors, 0)
	if count == 0 {
		return 0, nil
	}
	return count, fmt.Errorf("the process has %d goroutines and %d descriptors, and had %d and %d at rest",
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
			r.late(limit, what, err)
		}
	}
}

// late fails the test, with the stacks of all goroutines.
func (r *rig) late(limit time.Duration, what string, err error) {
	r.Helper()
	stacks := make([]byte, 1<<20)
	r.Fatalf("not within %v: %s: %v\n%s", limit, what, err, stacks[:runtime.Stack(stacks, true)])
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
