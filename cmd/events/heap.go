package main

import (
	"context"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

// The heap of a proxy is mostly streams that wait, a few KiB each, and what it took to accept them
// is garbage of several times that. The collector's default, as much garbage as lives, is wrong at
// both ends: a small heap is collected fifty times a second while clients come and go, and after a
// crowd has come in its garbage is kept for minutes.
const (
	// leastRoom and mostRoom bound how much garbage may lie about where little lives; between them
	// it is what comes in collectEvery.
	leastRoom    = 1 << 20
	mostRoom     = 32 << 20
	collectEvery = time.Second

	// leastPercent and usualPercent of what lives may be garbage where that is more: the first when
	// little comes, the second from busy bytes a second on.
	leastPercent = 25
	usualPercent = 100
	busy         = 64 << 20

	// worthReturning is how much must be gained by a collection that nothing else asks for.
	worthReturning = 2 << 20

	// calm is for how many seconds what is returned would have lasted at the present pace. Where it
	// is less, it will be needed again at once.
	calm = 10
)

// tendHeap fits the collector to that until ctx ends: room for garbage by what lives and what
// comes, and memory that is no longer needed goes back to the system. Where the operator has set
// GOGC, the room is theirs.
func tendHeap(ctx context.Context) {
	t := &heapTender{latest: readHeap(), percent: 100, fixed: os.Getenv("GOGC") != ""}
	afterEachCollection(ctx, func() { t.look() })
	go t.run(ctx) // ends with ctx
}

// heapTender looks at the heap after each collection and once a second.
type heapTender struct {
	fixed bool // the collector's percentage is not ours to set

	mu      sync.Mutex
	latest  heap
	percent int
}

func (t *heapTender) run(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for r := (returning{}); ; {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		if h, pace := t.look(); r.due(h.spare(), pace) {
			debug.FreeOSMemory()
			r.done(readHeap().spare())
		}
	}
}

// returning decides when memory is to be returned to the system. The runtime keeps some, a few MiB,
// however often it is asked: that is never asked for twice, or an idle proxy would be collected every
// second for nothing.
type returning struct {
	kept uint64 // what was spare after the last return
}

// due reports whether enough is spare, of what was not kept, when so many bytes a second come.
func (r *returning) due(spare, pace uint64) bool {
	r.kept = min(r.kept, spare)
	gain := spare - r.kept
	return gain > worthReturning && gain > calm*pace
}

// done notes what is spare after a return.
func (r *returning) done(spare uint64) { r.kept = spare }

// look sets the room for garbage. It returns what it has read, and how many bytes a second came
// since it looked before.
func (t *heapTender) look() (now heap, pace uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now = readHeap()
	pace = now.pace(t.latest)
	t.latest = now
	if percent := roomPercent(now.live, pace); percent != t.percent && !t.fixed {
		debug.SetGCPercent(percent)
		t.percent = percent
	}
	return now, pace
}

// roomPercent returns the collector's percentage for a heap of which so many bytes live and to
// which so many are added a second. It moves in steps: setting it stops the program for a moment.
func roomPercent(live, pace uint64) int {
	const step = 5
	room := min(max(uint64(float64(pace)*collectEvery.Seconds()), leastRoom), mostRoom)
	few := int(room * 100 / max(live, leastRoom))
	many := int(min(pace*usualPercent/busy, usualPercent))
	return max(few/step*step, many/step*step, leastPercent)
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

// heap is a reading of the runtime's metrics, in bytes.
type heap struct {
	at        time.Time
	allocated uint64 // since the start
	live      uint64 // found alive by the last collection
	objects   uint64 // alive or garbage
	free      uint64 // neither, and not returned to the system
}

// spare is what a collection would return, if all that has come since the last one is garbage.
func (h heap) spare() uint64 { return h.objects - min(h.live, h.objects) + h.free }

// pace is how many bytes a second have been allocated since before. Of a moment nothing can be
// said: it counts as a tenth of a second.
func (h heap) pace(before heap) uint64 {
	return uint64(float64(h.allocated-before.allocated) / max(h.at.Sub(before.at).Seconds(), 0.1))
}

func readHeap() heap {
	samples := []metrics.Sample{
		{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"},
		{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/memory/classes/heap/free:bytes"},
	}
	metrics.Read(samples)
	return heap{time.Now(), samples[0].Value.Uint64(), samples[1].Value.Uint64(), samples[2].Value.Uint64(), samples[3].Value.Uint64()}
}
