package actors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// fakeLink stands for a link where only its identity matters.
type fakeLink struct {
	amqp.Link
	name string
}

// newTestPool returns a pool whose broker allows any number of channels in all.
func newTestPool(channels, declares int) *pool {
	return newPool(Limits{ChannelsPerLink: channels, Declares: declares}, noChannelLimit())
}

func pidOf(i int) *actor.PID { return &actor.PID{Id: fmt.Sprint("owner", i)} }

func wants(i int) leaseRequest { return leaseRequest{owner: pidOf(i)} }

func TestThePoolGivesNothingWithoutALink(t *testing.T) {
	p := newTestPool(1, 1)
	p.wait(wants(1))
	if who, _, o := p.next(time.Time{}); who != nil || o != full {
		t.Fatal("a channel of no link was given out")
	}
	if p.up() {
		t.Fatal("up without a link")
	}
}

// full asks for another link; a limit of declares only for patience.
func TestThePoolTellsFullFromBusy(t *testing.T) {
	p := newTestPool(2, 1)
	p.add(fakeLink{name: "a"}, time.Time{})
	for i := range 3 {
		p.wait(wants(i))
	}
	if who, _, _ := p.next(time.Time{}); who == nil {
		t.Fatal("the first waits")
	}
	if who, _, o := p.next(time.Time{}); who != nil || o != busy {
		t.Fatal("one channel is being opened, the next must wait for it")
	}
	p.opened(pidOf(0))
	if who, _, _ := p.next(time.Time{}); who == nil {
		t.Fatal("the second waits, though the first is open")
	}
	p.opened(pidOf(1))
	if who, _, o := p.next(time.Time{}); who != nil || o != full {
		t.Fatal("a third channel of a link of two")
	}
}

// An answer that comes twice, or too late, must not break the books.
func TestThePoolTakesEveryWordOnce(t *testing.T) {
	p := newTestPool(2, 2)
	a := fakeLink{name: "a"}
	p.add(a, time.Time{})
	p.wait(wants(1))
	p.wait(wants(1))
	p.next(time.Time{})
	p.wait(wants(1)) // has one already
	if who, _, _ := p.next(time.Time{}); who != nil {
		t.Fatal("one owner was granted two channels")
	}
	p.opened(pidOf(1))
	p.opened(pidOf(1))
	p.opened(pidOf(2))
	for _, n := range []int{2, 1, 1} {
		p.release(pidOf(n))
	}
	if l := p.links[0]; l.leases != 0 || l.opening != 0 {
		t.Fatalf("%d leases, %d opening", l.leases, l.opening)
	}
}

// A call that is not answered is noticed; which calls are under way is known from the lease's
// words.
func TestACallIsUnansweredWhenNothingWasHeardForTooLong(t *testing.T) {
	p := newTestPool(10, 10)
	p.add(fakeLink{name: "a"}, time.Time{})
	start := time.Now()
	p.wait(wants(1))
	p.next(start)
	const patience = 10 * time.Second
	if at := p.nextCheck(start, patience, patience/2); at != start.Add(patience/2) {
		t.Fatalf("the next check is due after %s", at.Sub(start))
	}
	if calls := p.unanswered(start.Add(patience-1), patience); len(calls) != 0 {
		t.Fatal("too early")
	}
	if calls := p.unanswered(start.Add(patience), patience); len(calls) != 1 || calls[0].owner.Id != pidOf(1).Id {
		t.Fatalf("unanswered are %v", calls)
	}
	p.progressed(pidOf(1), start.Add(patience))
	if calls := p.unanswered(start.Add(patience+1), patience); len(calls) != 0 {
		t.Fatal("the link has answered")
	}
	p.opened(pidOf(1))
	if calls := p.unanswered(start.Add(time.Hour), patience); len(calls) != 0 {
		t.Fatal("an open channel may be silent")
	}
	p.calling(pidOf(1), start)
	calls := p.unanswered(start.Add(patience), patience)
	if len(calls) != 1 {
		t.Fatal("a call on an open channel is not noticed")
	}
	p.giveUp(calls[0])
	if len(p.unanswered(start.Add(time.Hour), patience)) != 0 || !p.nextCheck(start, patience).IsZero() {
		t.Fatal("it is given up twice")
	}
	if p.progressed(pidOf(1), start); p.links[0].stuck != 0 {
		t.Fatal("it was answered after all, and counts as stuck")
	}
}

// A retired link serves its streams to the end, gets no new one, and a call that hangs on it does
// not keep it.
func TestARetiredLinkIsFinishedWithItsLastStream(t *testing.T) {
	p := newTestPool(10, 10)
	a, b := fakeLink{name: "a"}, fakeLink{name: "b"}
	p.add(a, time.Time{})
	start := time.Now()
	for i := range 3 {
		p.wait(wants(i))
		p.next(start)
	}
	p.opened(pidOf(1))
	p.opened(pidOf(2))
	p.giveUp(p.unanswered(start.Add(time.Hour), time.Second)[0])
	if p.retire(a); p.up() || len(p.finished()) != 0 {
		t.Fatal("it serves two streams, and no others")
	}
	p.add(b, time.Time{})
	p.wait(wants(3))
	if _, link, _ := p.next(start); link != b {
		t.Fatalf("the lease is on %v", link)
	}
	p.release(pidOf(1))
	if len(p.finished()) != 0 {
		t.Fatal("it serves a stream")
	}
	if p.release(pidOf(2)); len(p.finished()) != 1 || p.finished()[0] != a {
		t.Fatalf("finished are %v", p.finished())
	}
	if p.idleExtra(p.find(b)) {
		t.Fatal("the only link of use is idle extra")
	}
}

// roomy is a link that tells how many channels it may have.
type roomy struct {
	fakeLink
	channels int
}

func (r roomy) Capacity() int { return r.channels }

// The broker may allow fewer channels of a link than the operator: no lease is granted that cannot
// be used. And fewer for a moment is not fewer for life.
func TestALinkGetsNoMoreLeasesThanItHasRoom(t *testing.T) {
	p := newTestPool(100, 100)
	p.add(roomy{channels: 3}, time.Time{})
	start := time.Now()
	grantable := func(now time.Time) (n int) {
		for i := range 10 {
			p.wait(wants(i))
		}
		for {
			if _, _, o := p.next(now); o != granted {
				return n
			}
			n++
		}
	}
	if n := grantable(start); n != 3 {
		t.Fatalf("%d leases of a link with room for 3", n)
	}
	p.progressed(pidOf(0), start)
	p.exhausted(pidOf(1), start) // the broker was still closing others
	p.release(pidOf(1))
	p.release(pidOf(2))
	if n := grantable(start); n != 0 {
		t.Fatalf("%d leases while there is room for one", n)
	}
	if n := grantable(start.Add(learnedCapacityTimeout)); n != 2 {
		t.Fatalf("%d leases when there is room again, want 2", n)
	}
}

// Of a burst on a link that does not tell, those that found no room leave the room of the others as
// it is.
func TestABurstDoesNotShrinkALink(t *testing.T) {
	p := newTestPool(100, 100)
	p.add(fakeLink{}, time.Time{})
	now := time.Now()
	for i := range 10 {
		p.wait(wants(i))
		p.next(now)
	}
	p.progressed(pidOf(0), now)
	p.exhausted(pidOf(4), now) // its word comes before that of those who were served before it
	for i := 1; i < 4; i++ {
		p.progressed(pidOf(i), now)
	}
	for i := 4; i < 10; i++ {
		p.exhausted(pidOf(i), now)
		p.release(pidOf(i))
	}
	if n := p.capacity(p.links[0], now); n != 4 {
		t.Fatalf("the link counts as one of %d channels, want 4", n)
	}
}

func TestALinkIsIdleExtraWhenItHasNoLeaseAndIsNotTheLast(t *testing.T) {
	p := newTestPool(1, 1)
	a, b := fakeLink{name: "a"}, fakeLink{name: "b"}
	p.add(a, time.Time{})
	if rest := p.rest(); rest != nil {
		t.Fatalf("the last link is spare: %v", rest)
	}
	p.add(b, time.Time{})
	if rest := p.rest(); len(rest) != 2 || p.rest() != nil {
		t.Fatalf("two idle links rest once, have %v", rest)
	}
	p.wait(wants(1))
	p.next(time.Time{})
	if p.woken(a) || p.woken(fakeLink{name: "unknown"}) {
		t.Fatal("a link in use is spare, or an unknown one")
	}
	if !p.woken(b) || !slices.Equal(p.rest(), []amqp.Link{b}) {
		t.Fatal("the idle link of two is not spare")
	}
	if !p.remove(b) || p.remove(b) || p.woken(b) {
		t.Fatal("a link is removed once")
	}
}

// Leases outlive their link until their owners release them; then nothing is left.
func TestALostLinkLeavesNothingInThePool(t *testing.T) {
	p := newTestPool(5, 5)
	a := fakeLink{name: "a"}
	p.add(a, time.Time{})
	for i := range 3 {
		p.wait(wants(i))
		p.next(time.Time{})
	}
	p.remove(a)
	for i := range 3 {
		p.release(pidOf(i))
	}
	if len(p.leases) != 0 || len(p.links) != 0 {
		t.Fatalf("%d leases, %d links", len(p.leases), len(p.links))
	}
}

// Whatever the order of events: no link over its limits, no owner served twice or
// out of turn, and the sums agree with the leases.
func TestThePoolsBooksAgreeWhateverHappens(t *testing.T) {
	forRandom(t, func(t *testing.T, r *rand.Rand) {
		p := newTestPool(between(r, 1, 4), between(r, 1, 3))
		names, now := 0, time.Now()
		var queue []string
		who := func() *actor.PID { return pidOf(between(r, 0, 8)) }
		link := func() amqp.Link { return pick(r, p.links).link }
		steps(t, r, map[string]func(){
			"wait": func() {
				pid := who()
				if p.leases[pid.Id] == nil && p.places[pid.Id] == nil {
					queue = append(queue, pid.Id)
				}
				p.wait(leaseRequest{owner: pid})
			},
			"next": func() {
				pid, link, _ := p.next(now)
				if pid == nil {
					return
				}
				if link == nil || p.leases[pid.Id].on.retired || pid.Id != queue[0] {
					t.Fatalf("%s is served before %s", pid.Id, queue[0])
				}
				queue = queue[1:]
			},
			"progressed": func() { p.progressed(who(), now) },
			"calling":    func() { p.calling(who(), now) },
			"exhausted":  func() { p.exhausted(who(), now) },
			"give up": func() {
				for _, l := range p.unanswered(now.Add(time.Hour), time.Minute) {
					p.giveUp(l)
				}
			},
			"retire": func() {
				if len(p.links) > 0 {
					p.retire(link())
				}
			},
			"opened":  func() { p.opened(who()) },
			"release": func() { pid := who(); p.release(pid); queue = without(queue, pid.Id) },
			"add":     func() { names++; p.add(fakeLink{name: fmt.Sprint(names)}, time.Time{}) },
			"remove": func() {
				if len(p.links) > 0 {
					p.remove(link())
				}
			},
			"dismiss": func() {
				if have := len(p.clearWaiting()); have != len(queue) {
					t.Fatalf("%d of %d are dismissed", have, len(queue))
				}
				queue = nil
			},
		}, func() { agree(t, p, len(queue)) })
	})
}

func agree(t *testing.T, p *pool, waiting int) {
	if p.waiting.Len() != waiting || len(p.places) != waiting {
		t.Fatalf("%d wait in the list, %d in the index, want %d", p.waiting.Len(), len(p.places), waiting)
	}
	type sums struct{ leases, opening, channels, stuck int }
	of := map[*linkEntry]sums{}
	for _, l := range p.leases {
		s := of[l.on]
		s.leases++
		s.opening += one(l.opening)
		s.channels += one(l.channel)
		s.stuck += one(l.stuck)
		of[l.on] = s
	}
	for _, l := range p.links {
		if have := (sums{l.leases, l.opening, l.channels, l.stuck}); have != of[l] {
			t.Fatalf("a link counts %+v, its leases are %+v", have, of[l])
		}
		if l.leases > p.most || l.opening > p.declares {
			t.Fatalf("a link has %d leases and opens %d", l.leases, l.opening)
		}
	}
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}

func without(list []string, name string) (out []string) {
	for _, s := range list {
		if s != name {
			out = append(out, s)
		}
	}
	return out
}
