package random

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/faults"
	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// life is a harm from its asking to its healing.
type life struct {
	number int
	kind   Harm
	victim Victim
	group  int
	look   faults.Sign

	asked, done, seen, healed, undone time.Time // zero: not yet
	waiting                           []*reader // that have not been served since
}

// grace is how long after its healing, or its giving up, a harm still explains the
// end of a stream: readers and lookers are scheduled when they are.
const grace = 2 * time.Second

// harms are all of a run. Its methods may be called concurrently.
type harms struct {
	mu       sync.Mutex
	lives    []*life     // in the order of asking
	under    []*life     // of them, neither healed nor undone
	relinked []time.Time // when the proxy's links have changed
	count    map[string]*HarmCount
	order    []string // of the kinds
	last     string
}

// ask does one harm of a kind to the stream of a client.
func (c *conductor) ask(ctx context.Context, kind Harm, client int) {
	l := &life{kind: kind, victim: Victim{Client: client}, group: c.groupOf(client), asked: time.Now()}
	c.enter(l)
	err := c.do(ctx, l)
	if err != nil && ctx.Err() == nil {
		c.giveUp(l, err.Error())
	}
}

func (c *conductor) do(ctx context.Context, l *life) (err error) {
	if l.kind.aimed() {
		if l.victim, err = c.victim(l.victim.Client); err != nil {
			return err
		}
		l.look = c.endOf(l.victim.ID, l.kind.Codes)
		if l.kind.isCrash() {
			l.look = c.failureOf(l.victim.ID, l.kind.Codes)
		}
	}
	switch {
	case l.kind.Watch != nil:
		if l.look, err = l.kind.Watch(ctx); err != nil {
			return err
		}
	case !l.kind.aimed():
		l.look = c.linksLost()
	}
	if err := c.perform(ctx, l); err != nil {
		return err
	}
	c.harms.mu.Lock()
	l.done = time.Now()                      // which may be long after the asking, on a broker with much to do
	c.harms.under = append(c.harms.under, l) // from here on it is looked for
	c.harms.mu.Unlock()
	return nil
}

// perform makes the harm happen: at once, or between two messages.
func (c *conductor) perform(ctx context.Context, l *life) error {
	switch {
	case l.kind.Publish != nil:
		return c.inTurn(ctx, func() error { return c.publishOne(ctx, l.kind.Publish) })
	case l.kind.Deaf > 0:
		return c.inTurn(ctx, func() error {
			d, err := c.ledger.silence(l.kind.Deaf, func() error { return l.kind.Do(ctx, l.victim) })
			c.history.AddAt(d.from, history.Deaf{Harm: l.number, Back: d.back.Sub(d.from).Seconds(), Until: d.until.Sub(d.from).Seconds()})
			return err
		})
	}
	return l.kind.Do(ctx, l.victim)
}

// enter notes that a harm is asked for, before it is: what it does may be seen at
// once.
func (c *conductor) enter(l *life) {
	h := &c.harms
	h.mu.Lock()
	h.lives = append(h.lives, l)
	l.number, h.last = len(h.lives), l.kind.Name
	h.count[l.kind.Name].Asked++
	h.mu.Unlock()
	asked := history.Asked{Harm: l.number, Name: l.kind.Name, Scope: string(l.kind.Scope), Client: -1, Group: -1}
	if l.kind.aimed() {
		asked.Client, asked.Group = l.victim.Client, l.group
		if !c.local {
			asked.Client, asked.Group = -1, -1
		}
	}
	asked.Codes, asked.Late = plain(l.kind.Codes), l.kind.Late.record()
	c.history.AddAt(l.asked, asked)
}

// giveUp notes that a harm was not done.
func (c *conductor) giveUp(l *life, reason string) {
	h := &c.harms
	h.mu.Lock()
	l.undone = time.Now()
	h.count[l.kind.Name].Undone = reason
	h.under = slices.DeleteFunc(h.under, func(other *life) bool { return other == l })
	h.mu.Unlock()
	c.history.Add(history.Undone{Harm: l.number, Reason: reason})
}

// lookAfter looks for the signs of harms, and for their healing.
func (c *conductor) lookAfter(ctx context.Context) {
	h := &c.harms
	h.mu.Lock()
	under := slices.Clone(h.under)
	h.mu.Unlock()
	for _, l := range under {
		if ctx.Err() != nil {
			return
		}
		if l.seen.IsZero() {
			c.lookFor(ctx, l)
		}
		if !l.seen.IsZero() {
			c.lookHealed(ctx, l)
		}
	}
}

func (c *conductor) lookFor(ctx context.Context, l *life) {
	sign, err := l.look(ctx)
	switch {
	case ctx.Err() != nil:
	case sign != "":
		h := &c.harms
		h.mu.Lock()
		l.seen = time.Now()
		h.count[l.kind.Name].Seen++
		h.mu.Unlock()
		l.waiting = c.within(l)
		c.history.AddAt(l.seen, history.Seen{Harm: l.number, Sign: sign})
	case err != nil && l.kind.aimed():
		c.giveUp(l, err.Error())
	case time.Since(l.done) > l.signPatience(c.options):
		reason := fmt.Sprintf("no sign of it within %s", l.signPatience(c.options))
		switch {
		case err != nil:
			reason += ": " + err.Error()
		case l.kind.aimed():
			reason += ": " + c.whyNoEnd(l)
		}
		c.giveUp(l, reason)
	}
}

func (l *life) signPatience(o Options) time.Duration {
	return cmp.Or(l.kind.SignPatience, o.SignPatience)
}

// within returns the clients that a harm could touch.
func (c *conductor) within(l *life) (list []*reader) {
	for _, r := range c.readers {
		if l.touches(r, c.local) {
			list = append(list, r)
		}
	}
	return list
}

// touches reports whether a harm could touch a client's stream.
func (l *life) touches(r *reader, local bool) bool {
	switch {
	case l.kind.Scope == NoStream:
		return false
	case l.kind.Scope == Everyone, !local: // whose stream it was is not known
		return true
	case l.kind.Scope == OneGroup:
		return r.group == l.group
	}
	return r.number == l.victim.Client
}

// notOver describes what a harm's healing waits for; it returns "" when all is well again.
func (c *conductor) notOver(ctx context.Context, l *life) string {
	if len(l.waiting) > 0 {
		return fmt.Sprintf("%d clients get no message", len(l.waiting))
	}
	if l.kind.Over != nil {
		if err := l.kind.Over(ctx, l.asked); err != nil {
			return err.Error()
		}
	}
	return ""
}

func (c *conductor) lookHealed(ctx context.Context, l *life) {
	back := func(r *reader) bool { return r.hasMessageSince(l.seen) }
	if l.kind.Scope == OneStream && c.local {
		back = func(r *reader) bool { return r.isBackSince(l.asked) }
	}
	l.waiting = slices.DeleteFunc(l.waiting, back)
	took, lacks := time.Since(l.seen), c.notOver(ctx, l)
	if lacks != "" && took <= c.options.Patience {
		return
	}
	c.book.tried(healing)
	h := &c.harms
	h.mu.Lock()
	defer h.mu.Unlock()
	h.under = slices.DeleteFunc(h.under, func(other *life) bool { return other == l })
	if lacks != "" {
		c.book.violate(healing, "harm %d, %s: after %s %s", l.number, l.kind.Name, c.options.Patience, lacks)
		return
	}
	l.healed = time.Now()
	count := h.count[l.kind.Name]
	count.Healed++
	count.Longest = max(count.Longest, took.Seconds())
	c.history.AddAt(l.healed, history.Healed{Harm: l.number})
}

// explained checks that a harm explains the end of a client's stream, or an answer
// that is none.
func (c *conductor) explained(r *reader, code string, at time.Time) {
	c.book.tried(untouched)
	if !c.explains(r, code, at) {
		c.book.violate(untouched, "client %d: %s, which no harm explains", r.number, code)
	}
}

// explains reports whether a harm does.
func (c *conductor) explains(r *reader, code string, at time.Time) bool {
	h := &c.harms
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.ContainsFunc(h.lives, func(l *life) bool {
		return l.explains(r, c.local, code, at) || l.explainsLate(r, c.local, code, at, h.relinked)
	})
}

// over is when a harm was healed or given up; zero: it is under way.
func (l *life) over() time.Time {
	if !l.undone.IsZero() {
		return l.undone
	}
	return l.healed
}

// explains is called under the lock of harms.
func (l *life) explains(r *reader, local bool, code string, at time.Time) bool {
	over := l.over()
	inTime := !at.Before(l.asked) && (over.IsZero() || at.Before(over.Add(grace)))
	covered := slices.Contains(l.kind.Codes, actors.Code(code)) || code == "status 503" && l.kind.Scope == Everyone
	return inTime && covered && l.touches(r, local)
}

// befallingAll returns how many harms are under way that befell everyone.
func (h *harms) befallingAll() (count int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.under {
		if l.kind.Scope == Everyone {
			count++
		}
	}
	return count
}

// counts returns what became of each kind, in their order.
func (h *harms) counts() (list []HarmCount) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range h.order {
		list = append(list, *h.count[name])
	}
	return list
}

// named finds the kind of a step.
func named(kinds []Harm, name string) (Harm, error) {
	i := slices.IndexFunc(kinds, func(k Harm) bool { return k.Name == name })
	if i < 0 {
		var known []string
		for _, k := range kinds {
			known = append(known, k.Name)
		}
		return Harm{}, fmt.Errorf("no harm is called %q here; there are %s", name, strings.Join(known, ", "))
	}
	return kinds[i], nil
}

// isCrash reports whether a harm is that an actor is made to fail.
func (h Harm) isCrash() bool { return strings.HasPrefix(h.Name, "crash ") }

// crashesSeen returns how many harms of that kind were seen.
func (h *harms) crashesSeen() (seen int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.lives {
		if l.kind.isCrash() && !l.seen.IsZero() {
			seen++
		}
	}
	return seen
}

func (h *harms) hasSeen(name string) bool { return h.of(name).Seen > 0 }

func (h *harms) of(name string) HarmCount {
	h.mu.Lock()
	defer h.mu.Unlock()
	return *h.count[name]
}

// settled waits until no harm is under way.
func (c *conductor) settled(ctx context.Context) {
	c.until(ctx, func() bool {
		c.harms.mu.Lock()
		defer c.harms.mu.Unlock()
		return len(c.harms.under) == 0
	})
}
