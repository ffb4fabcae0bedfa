package actors

import (
	"errors"
	"maps"
	"time"
)

// Before a binding is repeated on a link with streams, its exchange is tried by a scout again: it may
// have been made again meanwhile, as one whose bind ends the link, as x-jms-topic does.
//
// Where that cannot be tried, the binding is repeated all the same, and counted (Stats.RebindsUntried):
// there is no channel for a scout (the user's limit is reached), no link (a limit of connections), or
// no room for its queue (the virtual host's limit). A stream that is deaf because its exchange was
// made again loses all that comes, unsaid; a bind that ends a link needs an exchange of a kind that
// few brokers have, made again under the same name, and its streams are told. A binding is not
// repeated where the scout gave no answer, or was denied its queue: that bind would hang or end the
// stream, for no fault of its exchange. Those are counted, too (Stats.RebindsSkipped), as until the
// next time the stream may be deaf.

// rechecks knows what scouts have found out last, and who waits for the one that is under way, each
// exchange by itself. It is the broker actor's: it decides and does nothing.
type rechecks struct {
	results map[string]recheckResult // by exchange
	waiting map[string][]func(error) // by the exchange that is being tried
}

type recheckResult struct {
	until time.Time
	err   error
}

// recheckStands is how long a result stands: as many bindings as come in that time cost one scout.
// An exchange that is made again in it may still end a link, once.
const recheckStands = time.Second

// errUntried is reported where there is no channel for a scout.
var errUntried = errors.New("no channel for a scout")

func newRechecks() *rechecks {
	return &rechecks{results: map[string]recheckResult{}, waiting: map[string][]func(error){}}
}

// result returns the result that stands, if there is one.
func (r *rechecks) result(exchange string, now time.Time) (err error, stands bool) {
	last, known := r.results[exchange]
	return last.err, known && now.Before(last.until)
}

// wait has a scout's result reported. It reports whether a scout is to be sent: none is under way.
func (r *rechecks) wait(exchange string, report func(error)) (first bool) {
	first = r.waiting[exchange] == nil
	r.waiting[exchange] = append(r.waiting[exchange], report)
	return first
}

// tried notes a scout's result, and reports it to those who wait for it.
func (r *rechecks) tried(exchange string, err error, now time.Time) {
	maps.DeleteFunc(r.results, func(_ string, old recheckResult) bool { return !now.Before(old.until) })
	r.results[exchange] = recheckResult{until: now.Add(recheckStands), err: err}
	waiting := r.waiting[exchange]
	delete(r.waiting, exchange)
	for _, report := range waiting {
		report(err)
	}
}
