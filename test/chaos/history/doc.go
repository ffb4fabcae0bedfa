// Package history writes what a run did and saw, as it happens: one JSON object
// a line, all times by one clock. A [Recorder] takes the records of this package
// from any goroutine; a judge needs the lines alone.
//
// Every record has `t`, seconds since the run began by the monotonic clock, and
// `kind`. Lines stand in the order of their writing; a batch of messages is
// written at its end and bears the time of its first.
//
//	run       what is going to be done, on what; the first line
//	harmkind  a kind of harm that the run asks for, and must see
//	phase     before, harm, after, left: what the run does from here on; gone: the
//	          proxy has not answered for too long, and the run is given up
//	publish   one number: when it was sent, and whether the broker has confirmed it
//	open      a client was answered: 200 and a stream, or another status
//	ready     the stream's ready event
//	messages  numbers from, from+1, …, each with its time of arrival
//	error     the stream's error event
//	end       how the stream's answer ended: in order, broken, or left by the client
//	asked     a harm was asked for; its scope, and the codes that it explains while it
//	          is under way and afterwards
//	seen      an independent sign of it
//	healed    every client that it could touch is served again
//	links     a link of the proxy to its broker has come or gone, or is used again or
//	          no more
//	undone    it was not seen, with the reason; it counts as nothing
//	told      what a client was told that asked for what must be refused
//	deaf      streams may miss messages for a while, as the documentation admits
//	skipped   a harm or a claim that cannot be tried or judged here, with the reason
//	failure   an actor failed, and what its supervisor decided
//	sample    the proxy's own figures
//	held      what the broker holds while streams are open, and what the proxy needs
//	backlog   how many messages the broker holds when every client has all, or why
//	          that could not be found out
//	ended     how the proxy ended, and what of it was left on the broker
//	census    what the broker holds of the proxy's, and by whose account; or why
//	          that could not be found out in the end
//	command   a line of a script, with its result. A script has judged a claim of its
//	          own if storm has succeeded, or expect; but not if that is about the broker,
//	          the process or the tree, and claims clean or 0 of something
//	script    a script's verdict
//	verdict   the runner's judgement; the last line
package history
