// Package random breaks a running proxy for a while and judges whether it heals:
// [Run] keeps many clients on a stream of numbered messages while actors are made
// to fail, streams are ended by hand, clients leave, and whatever the caller can
// harm is harmed. It returns a [Report]: a verdict, the invariants with how often
// each was tried, and what of the product the run has reached.
//
// A harm has three facts. It is asked for; it is seen, by a sign that does not
// come from the one who asked: the proxy's counters and list of ends, the broker's
// own lists; and it is healed when every client that it could touch gets messages
// again. A harm without a sign is not done and counts as nothing. A run in which a
// kind of harm was never seen, or a claim could not be judged, is Unknown, which
// is not Pass.
//
// A stream may end only by a harm that could touch it: while that is under way with its codes, and
// afterwards with its late codes, as a proxy whose links have changed moves streams to the nodes of
// its broker that have few. Those have a time of their own, counted from the last change of links
// that is the harm's; the history has all that it takes to judge this again.
//
// The schedule of harms depends on the seed alone and can be replayed; what the
// network and the scheduler make of it cannot.
package random
