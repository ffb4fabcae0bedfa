// Package tail reads event streams for people and scripts: the commands
// `events tail` and `events wait`.
//
// A caller makes a [Source], a proxy ([NewProxy]) or the actors over a broker
// in this process ([NewBroker]), an [Options] value, and calls [Run]. Run opens
// stream after stream until what was asked for is done, and returns how it
// ended, as an [Outcome].
//
//	Source ──Open──▶ Stream ──Next──▶ reader ──▶ filter (jq) ──▶ printer ──▶ standard output
//	   ▲                                │
//	   └──── back-off, full jitter ◀────┴─ the end: a *Loss        notes ──▶ standard error
//
// The time between two streams is a gap: whatever was published meanwhile is
// missing. Tail reports each gap and goes on; Wait ends at the first, since the
// message that it waits for may have been among those.
package tail
