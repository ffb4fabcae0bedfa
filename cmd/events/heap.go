package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The heap of a proxy is mostly streams that wait, a few KiB each, and what it
// took to accept them is garbage of several times that. The collector's default,
// as much garbage as lives, is wrong at both ends: a small heap is collected
// fifty times a second while clients come and go, and after a crowd has come in
// nobody gives its garbage back for minutes.
const (
	// garbageRoom is how much garbage may lie about, however little lives.
	garbageRoom = 32 << 20

	// leastPercent of what lives may be garbage where that is more.
	leastPercent = 50

	// mostPercent bounds the other end.
	mostPercent = 1000

	// worthReturning is how much must be gained by a collection that nothing
	// else asks for.
	worthReturning = 8 << 20

	// calm is for how many seconds what is returned would have lasted at the
	// present pace. Where it is less, it will be needed again at once.
	calm = 10
)

// tendHeap fits the collector to that until ctx ends: room for garbage by what
// lives, looked at after every collection, and memory that is no longer needed
// goes back to the system. Where the operator has set GOGC, the room is theirs.
func tendHeap(ctx context.Context) {
	if os.Getenv("GOGC") == "" {
		afterEachCollection(ctx, func() func() {
			set := 100
			return func() {
				if percent := roomPercent(readHeap().live); percent != set {
					debug.SetGCPercent(percent)
					set = percent
				}
			}
		}())
	}
	go returnMemory(ctx) // ends with ctx
}

// roomPercent gives the collector's percentage for a heap of which so many
// bytes live. It moves in steps: setting it stops the program for a moment.
func roomPercent(live uint64) int {
	const step = 10
	percent := int(garbageRoom * 100 / max(live, 1))
	return min(max(percent/step*step, leastPercent), mostPercent)
}

// afterEachCollection calls f, one call at a time, until ctx ends.
func afterEachCollection(ctx context.Context, f func()) {
	type witness struct{ _ *byte } // holds a pointer, or it would share a block with others
	var again func(*witness)
	again = func(w *witness) {
		if ctx.Err() == nil {
			f()
			runtime.SetFinalizer(w, again) // it lives once more, and dies at the next collection
		}
	}
	runtime.SetFinalizer(&witness{}, again)
}

// returnMemory looks once a second whether there is garbage, or free memory,
// that nobody will need soon.
func returnMemory(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	before := readHeap()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		now := readHeap()
		if gain, needed := now.spare(), now.allocated-before.allocated; gain > worthReturning && gain > calm*needed {
			debug.FreeOSMemory()
		}
		before = now
	}
}

// heap is what the runtime says of it, in bytes.
type heap struct {
	allocated uint64 // since the start
	live      uint64 // found alive by the last collection
	objects   uint64 // alive or garbage
	free      uint64 // neither, and not returned to the system
}

// spare is what a collection would return, if all that has come since the last
// one is garbage.
func (h heap) spare() uint64 { return h.objects - min(h.live, h.objects) + h.free }

func readHeap() heap {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	return heap{samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64(), samples[3].Value.Uint64()}
}
