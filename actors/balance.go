package actors

import (
	"math"
	"time"
)

// balance moves streams to nodes that have few of them, such as one that is back after a restart:
// newcomers alone fill it slowly, where streams live for hours. After a rolling restart of three
// nodes, the last has none and the others have half of them each.
//
// Streams cannot be moved unnoticed: a new queue has no place in common with the old one, so that
// messages would come twice, or not at all. They are ended, with StreamExpired: their clients come
// back and get a lease of the least loaded node. So it acts only a while after nodes have come or
// links have gone, only where a node has far less or far more than its share, and ends a small part
// of the streams each second. The links that a node needs for the streams that are moved to it put
// nothing off.
//
// It is a value of the broker actor: it decides and does nothing.
type balance struct {
	settled time.Time // when the links are to be looked at; zero: they are even
	moving  bool      // one of the nodes has far more or less than its share
}

const (
	// balanceAfter is how long no node must have come and no link have gone: a cluster that restarts
	// node by node would have the same streams moved again and again.
	balanceAfter = 20 * time.Second
	// balanceEvery is the time between two groups of streams that are ended.
	balanceEvery = time.Second
	// balanceShare is the part of all streams that is ended each time: one in so many.
	balanceShare = 100
	// unevenBy is how far from its share, in percent of it, a node must be.
	unevenBy = 30
	// evenBy is how far from its share a node may be when no more streams are moved.
	evenBy = 10
	// balanceLeast is how many leases a node must have on average.
	balanceLeast = 4
)

// disturb is called when a node has come or a link has gone: what is under way is put off. It returns
// in which time next is to be called.
func (b *balance) disturb(now time.Time) time.Duration {
	b.settled, b.moving = now.Add(balanceAfter), false
	return balanceAfter
}

// look is called when a node has got a further link, which it may need for the very streams that are
// moved to it. It returns in which time next is to be called, 0 where that is known already.
func (b *balance) look(now time.Time) time.Duration {
	if !b.settled.IsZero() {
		return 0
	}
	return b.disturb(now)
}

// next returns of which node how many leases are to be ended now, none where that is 0, and in which
// time next is to be called again, 0 where it is not.
func (b *balance) next(loads map[string]int, now time.Time) (from string, n int, again time.Duration) {
	if b.settled.IsZero() {
		return "", 0, 0
	}
	if wait := b.settled.Sub(now); wait > 0 {
		return "", 0, wait
	}
	total := 0
	for _, n := range loads {
		total += n
	}
	if len(loads) < 2 || total < balanceLeast*len(loads) {
		b.rest()
		return "", 0, 0
	}
	percent := func(n int) int { return 100 * n * len(loads) / total } // of a node's share
	from, most, least := extremes(loads)
	switch {
	case percent(most) > 100+unevenBy, percent(least) < 100-unevenBy:
		b.moving = true
	case percent(most) <= 100+evenBy:
		b.moving = false
	}
	if !b.moving || percent(most) <= 100+evenBy {
		b.rest()
		return "", 0, 0
	}
	return from, max(1, total/balanceShare), balanceEvery
}

// rest ends the moving until disturb or look is called.
func (b *balance) rest() { *b = balance{} }

// extremes returns the node with the most leases, their number, and the fewest that a node has.
func extremes(loads map[string]int) (fullest string, most, least int) {
	least = math.MaxInt
	for address, n := range loads {
		if n > most || n == most && address < fullest {
			fullest, most = address, n
		}
		least = min(least, n)
	}
	return fullest, most, least
}
