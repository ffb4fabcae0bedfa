package actors

import (
	"time"

	"github.com/asynkron/protoactor-go/actor"
)

// A routed feed and answers that do not come. AMQP calls have no deadline, and a feed's link is
// served on other channels: it is neither cut nor retired for a bind without an answer, and the feed
// goes on for streams of other exchanges.
//
//	a newcomer waits for callTimeout     it is told
//	a bind has no answer for as long     nothing is known of the binding: the exchange's streams are
//	                                     told, and the next one that wants it has it bound anew
//
// An answer may still come, and is as good as any. Where mostUnanswered binds to an exchange have
// none, it is not bound again before one of them has, or the link has ended.

// checkLater sets the time of the next look, unless it is set: nothing is late before.
func (f *routedFeed) checkLater(ctx actor.Context) {
	if f.check == nil {
		f.check = f.timers.after(ctx, callTimeout, bindingLate{})
	}
}

// late ends the streams that have waited long enough, and waits no longer for what they wait for.
func (f *routedFeed) late(ctx actor.Context) {
	f.check = nil
	due := time.Now().Add(-callTimeout) // what began then, or before, is late
	f.refuseLate(due)
	f.giveUpLate(due)
	for _, n := range f.waiting {
		for _, b := range n.bindings {
			f.try(ctx, b.Exchange)
		}
	}
	if oldest := f.oldest(); !oldest.IsZero() {
		f.check = f.timers.after(ctx, oldest.Sub(due), bindingLate{})
	}
}

// refuseLate ends newcomers.
func (f *routedFeed) refuseLate(due time.Time) {
	var late []*Stream
	for s, n := range f.waiting {
		if !n.since.After(due) {
			late = append(late, s)
		}
	}
	f.cut(late, errNoCallAnswered)
}

// giveUpLate ends the streams of exchanges whose binding was to be repeated. It may be gone, so that
// they would be deaf without a word.
func (f *routedFeed) giveUpLate(due time.Time) {
	for exchange, e := range f.exchanges {
		if e.asked.IsZero() || e.asked.After(due) {
			continue
		}
		bound := e.rebound != nil
		f.release(e)
		if e.binds > 0 {
			f.core.log.Warn("the broker does not answer a bind of the routed queue", "exchange", exchange, "unanswered", e.binds)
		}
		if bound {
			f.cut(f.hub.on(exchange), errCallLost)
		}
	}
}

// oldest returns when the first of what is not late began to wait: zero where nothing waits.
func (f *routedFeed) oldest() (oldest time.Time) {
	first := func(at time.Time) {
		if !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
			oldest = at
		}
	}
	for _, n := range f.waiting {
		first(n.since)
	}
	for _, e := range f.exchanges {
		first(e.asked)
	}
	return oldest
}
