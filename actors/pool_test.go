package actors

import (
	"fmt"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"
	"pgregory.net/rapid"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// fakeLink stands for a link where only its identity matters.
type fakeLink struct {
	amqp.Link
	name string
}

func newTestPool(channels, declares int) *pool {
	return newPool(Limits{ChannelsPerLink: channels, Declares: declares})
}

func somebody(i int) *actor.PID { return &actor.PID{Id: fmt.Sprint("owner", i)} }

func TestThePoolGivesNothingWithoutALink(t *testing.T) {
	p := newTestPool(1, 1)
	p.wait(somebody(1))
	if who, _, full := p.next(time.Time{}); who != nil || !full {
		t.Fatal("a channel of no link was given out")
	}
	if p.up() {
		t.Fatal("up without a link")
	}
}

// full asks for another link; a limit of declares only for patience.
func TestThePoolTellsFullFromBusy(t *testing.T) {
	p := newTestPool(2, 1)
	p.add(fakeLink{name: "a"})
	for i := range 3 {
		p.wait(somebody(i))
	}
	if who, _, _ := p.next(time.Time{}); who == nil {
		t.Fatal("the first waits")
	}
	if who, _, full := p.next(time.Time{}); who != nil || full {
		t.Fatal("one channel is being opened, the next must wait for it")
	}
	p.opened(somebody(0))
	if who, _, _ := p.next(time.Time{}); who == nil {
		t.Fatal("the second waits, though the first is open")
	}
	p.opened(somebody(1))
	if who, _, full := p.next(time.Time{}); who != nil || !full {
		t.Fatal("a third channel of a link of two")
	}
}

// An answer that comes twice, or too late, must not break the books.
func TestThePoolTakesEveryWordOnce(t *testing.T) {
	p := newTestPool(2, 2)
	a := fakeLink{name: "a"}
	p.add(a)
	p.wait(somebody(1))
	p.wait(somebody(1))
	p.next(time.Time{})
	p.wait(somebody(1)) // has one already
	if who, _, _ := p.next(time.Time{}); who != nil {
		t.Fatal("somebody got two channels")
	}
	p.opened(somebody(1))
	p.opened(somebody(1))
	p.opened(somebody(2))
	p.release(somebody(2))
	if idle := p.release(somebody(1)); idle != a {
		t.Fatalf("the link is idle, have %v", idle)
	}
	if idle := p.release(somebody(1)); idle != nil {
		t.Fatal("released twice")
	}
	if l := p.links[0]; l.leases != 0 || l.opening != 0 {
		t.Fatalf("%d leases, %d opening", l.leases, l.opening)
	}
}

func TestALinkIsStuckWhenAChannelHeardNothingForTooLong(t *testing.T) {
	p := newTestPool(10, 10)
	a, b := fakeLink{name: "a"}, fakeLink{name: "b"}
	p.add(a)
	start := time.Now()
	p.wait(somebody(1))
	p.next(start)
	p.add(b)
	const patience = 10 * time.Second
	if links := p.stuck(start.Add(patience), patience); len(links) != 0 {
		t.Fatal("too early")
	}
	if links := p.stuck(start.Add(patience+1), patience); len(links) != 1 || links[0] != a {
		t.Fatalf("stuck are %v", links)
	}
	p.progressed(somebody(1), start.Add(patience))
	if links := p.stuck(start.Add(patience+1), patience); len(links) != 0 {
		t.Fatal("the link has answered")
	}
	p.opened(somebody(1))
	if links := p.stuck(start.Add(time.Hour), patience); len(links) != 0 || p.opening() {
		t.Fatal("an open channel may be silent")
	}
}

func TestALinkIsSpareWhenItIsIdleAndNotTheLast(t *testing.T) {
	p := newTestPool(1, 1)
	a, b := fakeLink{name: "a"}, fakeLink{name: "b"}
	p.add(a)
	if p.idleExtra(a) {
		t.Fatal("the last link is spare")
	}
	p.add(b)
	if !p.idleExtra(a) || p.idleExtra(fakeLink{name: "unknown"}) {
		t.Fatal("an idle link of two is spare, an unknown one not")
	}
	p.wait(somebody(1))
	p.next(time.Time{})
	if p.idleExtra(a) {
		t.Fatal("a link in use is spare")
	}
	if !p.remove(b) || p.remove(b) || p.idleExtra(a) {
		t.Fatal("a link is removed once")
	}
}

// Leases outlive their link until their owners release them; then nothing is left.
func TestALostLinkLeavesNothingInThePool(t *testing.T) {
	p := newTestPool(5, 5)
	a := fakeLink{name: "a"}
	p.add(a)
	for i := range 3 {
		p.wait(somebody(i))
		p.next(time.Time{})
	}
	p.remove(a)
	for i := range 3 {
		p.release(somebody(i))
	}
	if len(p.leases) != 0 || len(p.links) != 0 || p.opening() {
		t.Fatalf("%d leases, %d links", len(p.leases), len(p.links))
	}
}

// Whatever the order of events: no link over its limits, no holder served twice or
// out of turn, and the sums agree with the leases.
func TestThePoolsBooksAgreeWhateverHappens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newTestPool(rapid.IntRange(1, 4).Draw(t, "channels"), rapid.IntRange(1, 3).Draw(t, "declares"))
		names, now := 0, time.Now()
		var queue []string
		who := rapid.Custom(func(t *rapid.T) *actor.PID { return somebody(rapid.IntRange(0, 8).Draw(t, "who")) })
		t.Repeat(map[string]func(*rapid.T){
			"wait": func(t *rapid.T) {
				pid := who.Draw(t, "pid")
				if p.leases[pid.Id] == nil && p.places[pid.Id] == nil {
					queue = append(queue, pid.Id)
				}
				p.wait(pid)
			},
			"next": func(t *rapid.T) {
				pid, link, _ := p.next(now)
				if pid == nil {
					return
				}
				if link == nil || pid.Id != queue[0] {
					t.Fatalf("%s is served before %s", pid.Id, queue[0])
				}
				queue = queue[1:]
			},
			"opened":  func(t *rapid.T) { p.opened(who.Draw(t, "pid")) },
			"release": func(t *rapid.T) { pid := who.Draw(t, "pid"); p.release(pid); queue = without(queue, pid.Id) },
			"add":     func(*rapid.T) { names++; p.add(fakeLink{name: fmt.Sprint(names)}) },
			"remove": func(t *rapid.T) {
				if len(p.links) > 0 {
					p.remove(p.links[rapid.IntRange(0, len(p.links)-1).Draw(t, "link")].link)
				}
			},
			"dismiss": func(t *rapid.T) {
				if have := len(p.clearWaiting()); have != len(queue) {
					t.Fatalf("%d of %d are dismissed", have, len(queue))
				}
				queue = nil
			},
			"": func(t *rapid.T) { agree(t, p, len(queue)) },
		})
	})
}

func agree(t *rapid.T, p *pool, waiting int) {
	if p.waiting.Len() != waiting || len(p.places) != waiting {
		t.Fatalf("%d wait in the list, %d in the index, want %d", p.waiting.Len(), len(p.places), waiting)
	}
	leases, opening := map[*linkEntry]int{}, map[*linkEntry]int{}
	for _, l := range p.leases {
		leases[l.on]++
		if l.opening {
			opening[l.on]++
		}
	}
	for _, l := range p.links {
		if l.leases != leases[l] || l.opening != opening[l] {
			t.Fatalf("a link counts %d and %d, its leases are %d and %d", l.leases, l.opening, leases[l], opening[l])
		}
		if l.leases > p.channels || l.opening > p.declares {
			t.Fatalf("a link has %d leases and opens %d", l.leases, l.opening)
		}
	}
}

func without(list []string, name string) (out []string) {
	for _, s := range list {
		if s != name {
			out = append(out, s)
		}
	}
	return out
}
