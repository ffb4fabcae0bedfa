package actors

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Before more channels are open than ever were, a scout tries; a crowd waits for that up to a size.
func TestFurtherChannelsAreTriedBeforeTheyAreOpened(t *testing.T) {
	now := time.Now()
	c := newChannelLimit()
	if c.check(0, false, now) != granted || c.check(1, false, now) != unverified || c.check(1, true, now) != unverified {
		t.Fatal("the first stream harms none, the second may")
	}
	c.begin(1)
	if c.allowed(16, now); c.check(16, true, now) != granted || c.check(17, false, now) != unverified {
		t.Fatalf("%d are verified, want 17", c.verified)
	}
	if c.check(triedChannels, true, now) != granted {
		t.Fatal("a crowd waits for the scouts")
	}
	c.met()
	if c.check(triedChannels, true, now) != unverified {
		t.Fatal("a limit was met, and the next crowd meets it again")
	}
}

// What a scout has found out holds for the channels that were open all the while.
func TestChannelsThatAreClosedMeanwhileAreNotVerified(t *testing.T) {
	now := time.Now()
	c := newChannelLimit()
	c.begin(10)
	c.dropped(4)
	c.seen(9, now)
	if c.allowed(16, now); c.verified != 20 {
		t.Fatalf("%d are verified, want 4 and the scout's 16", c.verified)
	}
}

// An operator may set a limit at any time: that there was none is not believed for long.
func TestThatThereIsNoLimitIsBelievedForAWhile(t *testing.T) {
	now := time.Now()
	c := newChannelLimit()
	c.begin(1)
	c.allowed(16, now)
	if c.check(5, false, now.Add(limitTimeout)) != granted {
		t.Fatal("it is not believed")
	}
	if c.check(5, false, now.Add(limitTimeout+1)) != unverified || c.check(4, false, now.Add(limitTimeout+1)) != granted {
		t.Fatalf("%d are verified, want the 5 that are open", c.verified)
	}
}

// A limit is believed, and doubted after a while; more channels than that prove it wrong.
func TestALimitIsBelievedForAWhile(t *testing.T) {
	now := time.Now()
	c := newChannelLimit()
	c.begin(3)
	c.reached(5, now)
	if c.check(4, false, now) != granted || c.check(5, true, now) != limited || c.short(5, now) {
		t.Fatalf("%+v is not a limit of 5", c)
	}
	if c.check(5, true, now.Add(limitTimeout)) != unverified {
		t.Fatal("it is believed for ever, or forgotten without a try")
	}
	if c.unknowable(now); c.check(5, false, now) != limited {
		t.Fatal("it is forgotten because no scout could be sent")
	}
	if c.seen(6, now); c.limit != 6 {
		t.Fatal("six are open, and the limit is five")
	}
	c.begin(6)
	if c.allowed(16, now); c.check(20, false, now) != granted {
		t.Fatal("it was raised, and is believed")
	}
}

// Where no scout can be sent, streams are served as before.
func TestWithoutScoutsChannelsAreOpenedUntried(t *testing.T) {
	now := time.Now()
	c := newChannelLimit()
	c.begin(1)
	if c.unknowable(now); c.check(10, false, now) != granted || c.scouting() {
		t.Fatal("streams wait for a scout that cannot be sent")
	}
	if c.check(10, false, now.Add(limitTimeout)) != unverified {
		t.Fatal("scouts are given up for ever")
	}
}

// Whatever is asked for, found out and withdrawn in whatever order: an exchange is tried by one
// scout at a time, and every request that was not withdrawn is answered once.
func TestEveryRequestForAnExchangeIsAnsweredOnce(t *testing.T) {
	forRandom(t, func(t *testing.T, r *rand.Rand) {
		e := newExchanges()
		held, trying := map[string]leaseRequest{}, map[string]bool{}
		next := 0
		exchange := func() string { return pick(r, []string{"a", "b", "c", "d"}) }
		drawTrying := func() (string, bool) {
			name := exchange()
			return name, trying[name]
		}
		answered := func(owner string) {
			if _, was := held[owner]; !was {
				t.Fatalf("%s is answered and did not wait", owner)
			}
			delete(held, owner)
		}
		steps(t, r, map[string]func(){
			"hold": func() {
				next++
				request := leaseRequest{owner: pidOf(next)}
				for _, name := range some(r, 1, 4, exchange) {
					request.bindings = append(request.bindings, amqp.Binding{Exchange: name, Pattern: fmt.Sprint(next)})
				}
				if e.known(request.bindings) {
					return
				}
				held[request.owner.Id] = request
				for _, b := range e.hold(request) {
					if trying[b.Exchange] {
						t.Fatalf("%s is tried twice at a time", b.Exchange)
					}
					trying[b.Exchange] = true
				}
			},
			"passed": func() {
				if name, ok := drawTrying(); ok {
					delete(trying, name)
					for _, request := range e.passed(name, r.IntN(2) == 0) {
						answered(request.owner.Id)
					}
				}
			},
			"failed": func() {
				if name, ok := drawTrying(); ok {
					delete(trying, name)
					for _, owner := range e.failed(name) {
						answered(owner.Id)
					}
				}
			},
			"withdraw": func() {
				owner := pidOf(between(r, 1, 1+next))
				e.withdraw(owner)
				delete(held, owner.Id)
			},
		}, func() {
			if len(e.owners) != len(held) {
				t.Fatalf("%d wait, want %d", len(e.owners), len(held))
			}
			if len(trying) == 0 && len(held) > 0 {
				t.Fatalf("%d wait for nothing", len(held))
			}
		})
	})
}

// A channel that serves no stream is opened only where it takes no stream's place.
func TestAChannelIsSparedOnlyWhereStreamsHaveEnough(t *testing.T) {
	now := time.Now()
	c := newChannelLimit()
	if c.spare(1, now) != unverified {
		t.Fatal("it is opened untried")
	}
	if n := c.beginSpare(1, 4, false); n != 3+triedForSpare {
		t.Fatalf("%d channels are tried for one", n)
	}
	if c.allowed(5, now); c.spare(4, now) != granted || c.spare(6, now) != unverified {
		t.Fatalf("%d are verified, want 6", c.verified)
	}
	c.unknowable(now)
	if c.spare(7, now) != limited {
		t.Fatal("it is opened untried where no scout can be sent")
	}
	c.begin(7)
	if c.reached(100, now); c.spare(49, now) != granted || c.spare(50, now) != limited || c.scarce(99) || !c.scarce(100) {
		t.Fatal("half of a limit is not kept for streams, or what is open is not given back at the limit alone")
	}
	if c.spare(50, now.Add(limitTimeout)) != limited {
		t.Fatal("a scout takes what a limit leaves, and no stream needs it")
	}
}
