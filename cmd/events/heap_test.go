package main

import (
	"context"
	"testing"
	"time"
)

// However little lives, a proxy is not collected all the time; and a large one
// does not keep as much garbage as it holds streams.
func TestRoomForGarbageFollowsWhatLives(t *testing.T) {
	for _, c := range []struct {
		live uint64
		want int
	}{
		{0, 1000}, {3 << 20, 1000}, {4 << 20, 800}, {30 << 20, 100}, {63 << 20, 50}, {1 << 30, 50},
	} {
		if got := roomPercent(c.live); got != c.want {
			t.Errorf("%d MiB live: %d%%, want %d%%", c.live>>20, got, c.want)
		}
	}
}

// After a crowd has gone the memory that it took goes back to the system, which
// the runtime alone would let take minutes.
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
