package main

import (
	"context"
	"runtime"
	"testing"
	"time"
)

// A proxy with few streams is not collected all the time while many come and go, and keeps little
// garbage otherwise; a large one does not keep as much garbage as it holds streams.
func TestRoomForGarbageFollowsWhatLivesAndWhatComes(t *testing.T) {
	const mib = 1 << 20
	for _, c := range []struct {
		live, pace uint64
		want       int
	}{
		{0, 0, 100}, {4 * mib, 0, 25}, {40 * mib, 0, 25},
		{4 * mib, 20 * mib, 500}, {4 * mib, 1 << 40, 800},
		{40 * mib, 32 * mib, 80}, {40 * mib, 1 << 40, 100}, {1 << 30, 16 * mib, 25}, {1 << 30, 1 << 40, 100},
	} {
		if got := roomPercent(c.live, c.pace); got != c.want {
			t.Errorf("%d MiB live, %d MiB/s: %d%%, want %d%%", c.live>>20, c.pace>>20, got, c.want)
		}
	}
}

// Memory is returned when it is worth a collection and not needed again at once. What the runtime keeps
// all the same is not asked for again, until more has come.
func TestMemoryThatTheRuntimeKeepsIsAskedForOnce(t *testing.T) {
	const mib = 1 << 20
	var r returning
	for i, step := range []struct {
		spare, pace uint64
		due         bool
		after       uint64 // what is spare after a return
	}{
		{spare: 2 * mib},
		{spare: 100 * mib, pace: 20 * mib},
		{spare: 100 * mib, due: true, after: 3 * mib},
		{spare: 3 * mib}, {spare: 4 * mib}, {spare: 5 * mib},
		{spare: 6 * mib, due: true, after: 4 * mib},
		{spare: 4 * mib}, {spare: 1 * mib}, // the program has used it
		{spare: 4 * mib, due: true},
	} {
		due := r.due(step.spare, step.pace)
		if due != step.due {
			t.Errorf("step %d, %d MiB are spare: due is %t", i, step.spare/mib, due)
		}
		if due {
			r.done(step.after)
		}
	}
}

// After many clients have left, and a collection has seen it, the memory that they took goes back to
// the system, which the runtime alone would let take minutes.
func TestMemoryOfACrowdIsReturned(t *testing.T) {
	const crowd, rest = 128 << 20, 16 << 20
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := readHeap().held()
	occupy(crowd)
	runtime.GC()
	if grown := readHeap(); grown.held() < before+crowd/2 {
		t.Fatalf("nothing was occupied: %+v", grown)
	}
	tendHeap(ctx)
	deadline := time.Now().Add(time.Minute)
	for readHeap().held() > before+rest {
		if time.Now().After(deadline) {
			t.Fatalf("%d MiB are still held, %d before", readHeap().held()>>20, before>>20)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// held is what the heap takes of the system.
func (h heap) held() uint64 { return h.objects + h.free }

// occupy makes the heap grow by so many bytes, of which nothing lives.
//
//go:noinline
func occupy(bytes int) {
	blocks := make([][]byte, 0, bytes>>16)
	for range cap(blocks) {
		blocks = append(blocks, make([]byte, 1<<16))
	}
	for _, b := range blocks {
		b[0] = 1
	}
}
