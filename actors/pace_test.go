package actors

import (
	"math/rand/v2"
	"testing"
)

// paced plays deliveries of one size until nothing changes any more, and returns how many may be
// under way then.
func paced(p pace, size int) pace {
	for range 2000 {
		p.delivered(size)
		if n := p.change(); n != 0 {
			p.set(n)
		}
	}
	return p
}

// A stream begins with few messages under way, since nothing is known of their size.
func TestLargeMessagesAreThreeUnderWayFromTheStart(t *testing.T) {
	p := newPace(50, 1<<20)
	if p.now != 3 {
		t.Fatalf("%d are under way at the start", p.now)
	}
	if p = paced(p, 2<<20); p.now != 3 {
		t.Fatalf("%d messages of 2 MiB are under way", p.now)
	}
}

func TestSmallMessagesFillTheWindowInOneStep(t *testing.T) {
	p := newPace(50, 1<<20)
	for range 3 {
		if p.change() != 0 {
			t.Fatal("it changes before a window of messages has been seen")
		}
		p.delivered(500)
	}
	if n := p.change(); n != 50 {
		t.Fatalf("%d after three small messages", n)
	}
}

// One large message is enough to go back, and some dozens of small ones to come again.
func TestThePaceFollowsTheSizes(t *testing.T) {
	p := paced(newPace(50, 1<<20), 500)
	p.delivered(2 << 20)
	n := p.change()
	if n != 3 {
		t.Fatalf("%d under way after a large message", n)
	}
	p.set(n)
	if p = paced(p, 500); p.now != 50 {
		t.Fatalf("%d under way after many small messages", p.now)
	}
}

// What never changes is what a channel without the means, or without a limit, has.
func TestAFixedPaceNeverChanges(t *testing.T) {
	for _, p := range []pace{fixedPace(50), newPace(50, 0)} {
		if p = paced(p, 10<<20); p.now != 50 {
			t.Errorf("%d under way", p.now)
		}
	}
}

// Whatever the sizes are, the pace stays in its bounds and comes to rest: each change costs the
// broker two calls.
func TestThePaceComesToRestWithinItsBounds(t *testing.T) {
	forRandom(t, func(t *testing.T, r *rand.Rand) {
		most := between(r, 1, 500)
		p := newPace(most, between(r, 1, 8<<20))
		for _, size := range some(r, 0, 60, func() int { return between(r, 0, 4<<20) }) {
			p.delivered(size)
			if n := p.change(); n != 0 {
				p.set(n)
			}
			if p.now < 1 || p.now > most {
				t.Fatalf("%d under way, the most is %d", p.now, most)
			}
		}
		p = paced(p, between(r, 0, 4<<20))
		if n := p.change(); n != 0 {
			t.Fatalf("it still changes from %d to %d", p.now, n)
		}
	})
}
