package random

import (
	"fmt"
	"slices"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// What a harm explains when it is over. A proxy whose broker has several nodes moves streams between
// them a while after its links have changed: those end long after the harm has healed.

// linksBetween notes that the proxy's links have changed between two looks.
func (c *conductor) linksBetween(before, now picture) {
	if slices.Equal(used(before), used(now)) {
		return
	}
	at := time.Now()
	c.harms.mu.Lock()
	c.harms.relinked = append(c.harms.relinked, at)
	c.harms.mu.Unlock()
	c.history.AddAt(at, linksOf(now))
}

// used tells links apart, and whether each is in use; sorted.
func used(now picture) (list []string) {
	for _, l := range now.Links {
		list = append(list, fmt.Sprint(l.Address, l.Since.UnixNano(), l.Blind))
	}
	slices.Sort(list)
	return list
}

func linksOf(now picture) history.Links {
	links := history.Links{Addresses: []string{}}
	for _, l := range now.Links {
		links.Addresses = append(links.Addresses, l.Address)
		if l.Blind {
			links.Blind = append(links.Blind, l.Address)
		}
	}
	slices.Sort(links.Addresses)
	slices.Sort(links.Blind)
	return links
}

// explainsLate reports whether a stream may end so because of what the proxy does after a harm.
// relinked is when its links have changed, in order. It is called under the lock of harms.
func (l *life) explainsLate(r *reader, local bool, code string, at time.Time, relinked []time.Time) bool {
	late := l.kind.Late
	if !slices.Contains(late.Codes, actors.Code(code)) || !l.touches(r, local) || at.Before(l.asked.Add(late.After)) {
		return false
	}
	until, its := l.over().Add(late.For), false
	within := func(t time.Time) bool { return l.over().IsZero() || t.Before(until) }
	for _, change := range relinked {
		if change.Before(l.asked) || change.After(at) || !within(change) {
			continue
		}
		its = true
		if further := change.Add(late.For); further.After(until) {
			until = further
		}
	}
	return its && within(at)
}

// record is for the history; nil where there are no codes.
func (l Late) record() *history.Late {
	if len(l.Codes) == 0 {
		return nil
	}
	return &history.Late{Codes: plain(l.Codes), After: l.After.Seconds(), For: l.For.Seconds()}
}

func plain(codes []actors.Code) (list []string) {
	for _, code := range codes {
		list = append(list, string(code))
	}
	return list
}
