package actors

import (
	"net/netip"
	"time"

	"golang.org/x/time/rate"
)

// account keeps the number of streams and the connect rate of each client address, and the number of
// streams of each subject. An IPv6 client counts with its network, of which it has all addresses
// (see network). One actor holds it.
type account struct {
	limits   Limits
	prefix   int                      // Limits.IPv6Prefix at the start: what was entered must be found again
	entries  map[string]*addressEntry // by network
	sweep    int                      // entries that make the next look for stale ones worthwhile
	subjects map[string]int           // streams of each subject that has any
}

type addressEntry struct {
	streams int
	rate    *rate.Limiter // nil without a limit
}

func newAccount(limits Limits) *account {
	return &account{limits: limits, prefix: limits.IPv6Prefix, entries: map[string]*addressEntry{}, sweep: 1024, subjects: map[string]int{}}
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
	if err := a.connect(address); err != nil {
		return err
	}
	if most := a.limits.StreamsPerAddress; most > 0 && a.entry(a.network(address)).streams >= most {
		return &Error{Code: TooManyStreams, Reason: "Too many streams from this address"}
	}
	return nil
}

// checkSubject returns why a subject gets no further stream now, nil where it does. An empty subject
// is never refused.
func (a *account) checkSubject(subject string) *Error {
	if most := a.limits.StreamsPerSubject; subject != "" && most > 0 && a.subjects[subject] >= most {
		return &Error{Code: TooManyStreams, Reason: "Too many streams of this user"}
	}
	return nil
}

// network returns what an address counts as: an IPv6 address the network that its provider assigns
// to one client, Limits.IPv6Prefix bits of it; any other text itself.
func (a *account) network(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || !ip.Is6() || ip.Is4In6() {
		return address
	}
	prefix, err := ip.WithZone("").Prefix(a.prefix)
	if err != nil {
		return address
	}
	return prefix.String()
}

// connect counts a connect of an address, and returns why it is one too many, nil where it is not.
func (a *account) connect(address string) *Error {
	if address == "" || a.limits.ConnectsPerSecond == 0 || a.entry(a.network(address)).rate.Allow() {
		return nil
	}
	return &Error{Code: TooManyConnects, Reason: "Too many connects per second from this address"}
}

func (a *account) enter(address, subject string) {
	if address != "" {
		a.entry(a.network(address)).streams++
	}
	if subject != "" {
		a.subjects[subject]++
	}
}

func (a *account) leave(address, subject string) {
	if a.subjects[subject]--; a.subjects[subject] <= 0 {
		delete(a.subjects, subject)
	}
	address = a.network(address)
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
