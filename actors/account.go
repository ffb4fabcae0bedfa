package actors

import (
	"time"

	"golang.org/x/time/rate"
)

// account keeps the number of streams and the connect rate of each client address. One actor holds
// it.
type account struct {
	limits  Limits
	entries map[string]*addressEntry
	sweep   int // entries that make the next look for stale ones worthwhile
}

type addressEntry struct {
	streams int
	rate    *rate.Limiter // nil without a limit
}

func newAccount(limits Limits) *account {
	return &account{limits: limits, entries: map[string]*addressEntry{}, sweep: 1024}
}

// use changes the limits. Addresses that are known keep their streams, and what is left of their
// rate.
func (a *account) use(limits Limits) {
	if limits.ConnectsPerSecond != a.limits.ConnectsPerSecond {
		for _, e := range a.entries {
			e.setRate(limits.ConnectsPerSecond)
		}
	}
	a.limits = limits
}

// check returns why an address gets no further stream now, nil where it does. Checking counts as a
// connect. An empty address is never refused.
func (a *account) check(address string) *Error {
	if address == "" || (a.limits.StreamsPerAddress == 0 && a.limits.ConnectsPerSecond == 0) {
		return nil
	}
	e := a.entry(address)
	if e.rate != nil && !e.rate.Allow() {
		return &Error{Code: TooManyConnects, Reason: "Too many connects per second from this address"}
	}
	if most := a.limits.StreamsPerAddress; most > 0 && e.streams >= most {
		return &Error{Code: TooManyStreams, Reason: "Too many streams from this address"}
	}
	return nil
}

func (a *account) enter(address string) {
	if address != "" {
		a.entry(address).streams++
	}
}

func (a *account) leave(address string) {
	e := a.entries[address]
	if e == nil {
		return
	}
	if e.streams--; e.streams <= 0 && e.idle() {
		delete(a.entries, address)
	}
}

func (a *account) entry(address string) *addressEntry {
	e := a.entries[address]
	if e == nil {
		a.forgetIdle()
		e = &addressEntry{}
		e.setRate(a.limits.ConnectsPerSecond)
		a.entries[address] = e
	}
	return e
}

// setRate limits the connects per second; 0 means no limit.
func (e *addressEntry) setRate(r float64) {
	switch burst := max(1, int(r)); {
	case r <= 0:
		e.rate = nil
	case e.rate == nil:
		e.rate = rate.NewLimiter(rate.Limit(r), burst)
	default:
		e.rate.SetLimit(rate.Limit(r))
		e.rate.SetBurst(burst)
	}
}

// idle reports whether forgetting the address changes nothing for it.
func (e *addressEntry) idle() bool {
	return e.streams <= 0 && (e.rate == nil || e.rate.TokensAt(time.Now()) >= float64(e.rate.Burst()))
}

// forgetIdle keeps the account no larger than what is in use: addresses that had bad requests only
// would stay for ever.
func (a *account) forgetIdle() {
	if len(a.entries) < a.sweep {
		return
	}
	for address, e := range a.entries {
		if e.idle() {
			delete(a.entries, address)
		}
	}
	a.sweep = max(1024, 2*len(a.entries))
}
