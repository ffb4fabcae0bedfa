package random

import "github.com/taskcluster/events-proxy/test/chaos/history"

// The invariants' names, in the history and in reports.
const (
	oneCode      = "one-code"
	complete     = "complete"
	readyFirst   = "ready-first"
	untouched    = "untouched"
	served       = "served"
	healing      = "healing"
	realHarm     = "real-harm"
	brokerClean  = "broker-clean"
	processClean = "process-clean"
	memoryBound  = "memory"
	refusal      = "refusal"
	acknowledged = "acknowledged"
	needed       = "needed"
	orderlyEnd   = "orderly-end"
)

// invariants are what must hold, in the order of reports.
func invariants() []history.Invariant {
	return []history.Invariant{
		{Name: oneCode, Claim: "every stream ends with exactly one code, and nothing comes after it"},
		{Name: complete, Claim: "what was confirmed is delivered or admitted: in order, none lost unsaid, none twice unless marked"},
		{Name: readyFirst, Claim: "the first event is a ping, ready comes once, and no message before it"},
		{Name: untouched, Claim: "a stream ends only by a harm that could touch it, with a code of that harm"},
		{Name: served, Claim: "before and after the harm every client gets messages"},
		{Name: healing, Claim: "after each harm all that it could touch get messages again within the patience"},
		{Name: realHarm, Claim: "no more harms are claimed than the proxy's own counters admit"},
		{Name: brokerClean, Claim: "queues, consumers, bindings, channels and connections are back where they were"},
		{Name: processClean, Claim: "streams, actors, goroutines, descriptors and memory are back where they were"},
		{Name: memoryBound, Claim: "the process stays below the memory that it may have"},
		{Name: refusal, Claim: "a binding that would stall the exchange for all is refused"},
		{Name: acknowledged, Claim: "the broker holds no message that every client has"},
		{Name: needed, Claim: "while streams are open the broker holds no more than they need"},
		{Name: orderlyEnd, Claim: "the proxy ends in order when it is told to, and leaves nothing on its broker"},
	}
}
