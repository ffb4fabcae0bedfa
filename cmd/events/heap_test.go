package main

import (
	"context"
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

// After many clients have left the memory that it took goes back to the system, which the runtime
// alone would let take minutes.
func TestMemoryOfACrowdIsReturned(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	before := readHeap()
	occupy(128 << 20)
	if grown := readHeap(); grown.spare()+grown.live < before.live+64<<20 {
		t.Fatalf("nothing was occupied: %+v", grown)
	}
	tendHeap(ctx)
	deadline := time.Now().Add(20 * time.Second)
	for readHeap().spare() > worthReturning {
		if time.Now().After(deadline) {
			t.Fatalf("%d MiB are still held", readHeap().spare()>>20)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

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
