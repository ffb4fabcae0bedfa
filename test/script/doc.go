// Package script is the scenario language: what the product promises, written
// as transcripts. The engine is rogpeppe/go-internal's testscript; this package
// adds the commands, one file each:
//
//	needs    pauses                             a cluster whose nodes pause when they are alone
//	settings KEY=VALUE…                         before anything else; keys in settings.go
//	declare  EXCHANGE KIND                      topic, direct or fanout
//	connect  NAME [flags] [EXCHANGE PATTERN]…   a client with a socket of its own
//	publish  EXCHANGE KEY [flags] [COUNT]       bodies {"n":1}, {"n":2}, … unless told otherwise
//	                                            -wide: headers wider than a frame
//	expect   NAME CLAIM… | broker CLAIM… | process CLAIM… | tree CLAIM… | answer REGEXP
//	stall    NAME                               stop reading
//	trickle  NAME                               read a byte a second
//	resume   NAME                               read on
//	vanish   NAME                               acknowledge nothing, send nothing, not even an end (Linux)
//	storm    [-rate N] [-for TIME] [-refused] EXCHANGE PATTERN…
//	                                            open streams and leave each at once
//	network  slicer|reset|…|heal                what befalls the way from the clients to the proxy
//	process  pause|continue|log-unread|log-read what befalls the proxy's process
//	leave    NAME [-reset]                      close the socket
//	broker   stop|start|…                       what befalls the broker
//	crash    connection|consumer|worker NAME    a panic in the actor behind a stream
//	crash    broker|connections|feeds           a panic in an actor that is there once
//	drain    [SPREAD]                           as SIGTERM does
//	get      PATH [flags]                       one request, of which expect answer claims something
//
// A # begins a comment, so a pattern with one stands in quotes. NAME may be a
// pattern, such as crowd*, where a command can act on several
// streams. The topic exchange exchange/tc/task is there from the start. A
// client of a script keeps everything it received, and each expect first checks
// what holds for every stream (clients.Received.Check).
//
//	# a slow client is cut; the others do not notice
//	settings slow-after=300ms
//	connect ada exchange/tc/task 'primary.#'
//	connect bob exchange/tc/task 'primary.#'
//	stall   ada
//	publish exchange/tc/task primary.x -size 4096 2000
//	expect  bob 2000 messages
//	resume  ada
//	expect  ada ended SlowConsumer
//	expect  broker 1 queue
//
// Every wait is bounded by Params.Patience. A failure shows the transcript of
// the streams. Where scripts are played is up to Params: a proxy in this process
// or one at a URL, a queue for each stream or shared queues, the in-memory broker
// or RabbitMQ. A line that holds only on one broker or in one mode begins with a
// condition: [memory], [rabbitmq], [dedicated], [shared], [routed]. A script in which no claim
// of its own was judged has not passed, whatever is clean in the end: see [ErrUnjudged].
package script
