// Package actors hands the messages of a broker to many readers, each of which asks for its own
// bindings. It is the events proxy without HTTP.
//
// A caller opens one [System] with [Open], asks it for a [Stream] with [System.Connect] for each
// reader, and reads that with [Stream.Next] or [Stream.Events] until its last event, which is an
// [*Error] with a [Code]. [Stream.Close] ends a stream; [System.Drain] ends all of them in order,
// and [System.Close] releases everything. [System.Health], [System.Stats] and [System.Snapshot] are
// for monitoring. What reaches the broker is an [amqp.Dialer]: RabbitMQ, a broker in memory,
// or one of the caller's own.
//
// # For callers
//
// Contexts. A stream lives no longer than the context that [System.Connect] was called with, and ends
// with the *Error of [context.Cause], where it wraps one: a session's context is enough to end its
// streams. The context of [Stream.Next] bounds one wait, and that of [Stream.Events] the loop.
//
// Per stream. [Request.Subject] names whose it is, for [Limits], [System.End] and [System.Send] with
// [BySubject]. [Request.Map] changes and drops messages; what it drops is acknowledged in its turn.
// [Stream.Send] puts in events of the program's own ([Custom]). Options.OnOpen and OnEnd are called
// at a stream's start and end: for spans.
//
// A reader's limits. A reader that takes nothing is cut with [SlowConsumer] after Limits.SlowAfter, or
// when Limits.Backlog messages wait for it at the broker; of a shared queue or routed exchange, as
// soon as it holds Limits.BacklogBytes. Asking for the next event reports that the last one was dealt
// with: a program that hands events to a slow part of its own does so before it asks again, or counts
// what it has taken as read. A message may be shared by many readers: it is not to be changed.
//
// Concurrency. The methods of a System may be called concurrently. A Stream has one reader; Close,
// Fail, Send, ID, State and Ended may be called beside it. No call blocks but Next, Events, Ready,
// Drain, Close of the System, and Connect, End and Send of the System for an answer of its actors.
//
// The end. [System.Drain] admits no further streams and ends the open ones; then [System.Close]; then
// the broker, where the program has opened it. Close alone drains for five seconds at most. A System
// whose tree has ended by itself closes [System.Done], and [System.Err] returns why.
//
// # Inside
//
// Inside, every stream is an actor that owns its AMQP consumer and its ping timer. What goes wrong
// for one reader is told to that reader as the last event, is removed from the broker, and no other
// reader notices.
//
// # The tree
//
//	root                   role "events"; restarts a child 3 times in 10 s, then the System ends
//	├─ broker              AMQP links: dial, lost, redial; leases their channels
//	├─ feeds               (shared queues, routed exchanges)
//	│  └─ feed*            one consumer for all streams with equal bindings, or for all routed ones
//	└─ connections         admits, counts, drains
//	   └─ connection*      the life of one stream; never restarted
//	      └─ consumer*     owns one worker: the goroutine that holds one AMQP channel
//
// supervision.go has the strategies, messages.go every message, core.go what all actors share.
//
// # The flow
//
//	System.Connect ─admit─▶ connections ─spawn─▶ connection ─requestLease─▶ broker
//	                                                 │ ◀────────leased────────┘
//	                                                 └─spawn─▶ consumer ─▶ worker ─▶ amqp.Channel
//	reader ◀─Take, Next── Stream ◀──────ready, messages────────────────────┘
//	   └──Done─▶ worker acknowledges
//
// The connection owns its stream's life, not its bytes: messages go from the worker straight into
// the Stream. An actor message per delivery costs a third of a fan-out's throughput and would
// decide nothing.
//
// In shared mode (Options.ShareQueues) streams with equal bindings attach to one feed: its one
// worker delivers to a hub, which puts the same message into every stream. A stream that is full is
// cut; the feed never waits. When the last stream leaves, and none comes for a short time, the
// queue goes.
//
// Streams whose bindings are all on exchanges that the operator has listed
// (Options.RoutedExchanges) are routed here: they attach to one feed, whatever they bind. Its queue
// is bound to each such exchange with the pattern #, when the first stream wants it, and stays so;
// a trie of all patterns finds the streams of each message. Nothing is asked of the broker when a
// further stream comes. There is one such queue in all, not one for each link: every further one
// would bring every message once more. The end of its link ends all routed streams, which come back
// without a bind each.
//
// Blocking happens in two places: in the worker (AMQP calls) and in the reader (a socket). An actor
// never blocks, so it can always be stopped.
//
// # Who fails, what happens
//
// A worker that cannot go on reports to its consumer, the consumer panics with the reason (an
// *Error), and the connection, as its supervisor, makes it the stream's verdict
// (connection.HandleFailure). The verdict is set once, and four layers see to it that there is one:
// the connection's own; its Stopping and Stopped; connections, when it hears that a connection has
// stopped; and the reader's watchdog over a stream that has fallen silent.
//
// # What streams share
//
// Many streams share a link, so what one of them does must not end it. The first bind to each
// exchange, and channels beyond the most that were ever open, are tried by scouts, on links without
// streams: a broker may answer either by ending the link. A call that is not answered ends its own
// stream; the link is retired if it answers others (it gets no new streams and is closed with its
// last), else closed. Links are spread over the nodes of a cluster, so that a node's end ends its
// own streams alone; a node that no longer hears the others is found by canaries, and its streams
// are told. What the pool has learned of the broker (channels of a link, channels in all)
// it tries again after a while. A right that the service lacks is told to its operator, not to the
// client as its own fault.
//
// # Who owns what
//
//   - An AMQP channel and its queue: one worker, which closes the channel in its one defer. A queue
//     is consumed before it is bound, so that it goes with its channel at any time from then on.
//   - An AMQP link: links (links.go), on behalf of the broker actor.
//   - A stream's verdict: the first that sets it. Its bytes: the reader.
//
// # Where to look
//
//   - a new failure code: errors.go; what makes it, where the broker does: failures.go, the one way
//     from a broker's error to what a client is told; where admission does: connections.go
//   - why a client was cut: failures.go for the broker's reasons, window.go for a slow reader of
//     its own queue, hub.go and routed_hub.go for one of a feed's queue
//   - a new kind of event: event.go, where it is offered (messages: worker.go; ready: stream.go and
//     hub.go; pings: connection.go), and the frame in package httpapi
//   - a new rule for bindings: amqp/binding.go (true for every broker) or request.go (ours)
//
// # The files
//
//   - the door: system.go (System), stats.go, snapshot.go; options.go, policy.go (what may change
//     while a System runs), request.go (what a stream is asked for with), subject.go (whose it is),
//     which.go (which streams are ended), hooks.go (what a host hears of streams), errors.go (codes)
//   - what actors share: core.go, nodes.go (the registry of live actors), role.go, messages.go,
//     questions.go (a call from outside the tree), timers.go (each belongs to one life of its actor),
//     supervision.go, logging.go
//   - root.go; admission: connections.go, account.go (streams and connects of each address)
//   - one stream: connection.go (its life), stream.go (the hand-over), stream_reader.go (the
//     reader's side), event.go, backlog.go (the bytes that it holds), encode.go (a message's JSON),
//     ends.go (the streams that ended last)
//   - its queue: source.go (the lease), consumer.go, worker.go, opening.go (declare, consume,
//     bind), window.go (acknowledgements), pace.go (how many deliveries may be under way)
//   - queues of several streams: feeds.go, feed_queue.go (what both kinds of feeds have), lag.go (for
//     how long slow readers hold the broker back); shared: feed.go, hub.go; routed: routing.go (which
//     exchanges), routed_feed.go, routed_hub.go, binder.go, router.go and router_node.go (a topic
//     trie: which streams want a message)
//   - what is done for the queues of a link beside their channels: upkeep.go, rebinder.go and recheck.go (binds
//     again where an exchange was deleted, and is tried before), deadletters.go and drops.go (hears what the broker drops), on a
//     channel that streams can have back: broker_spares.go, pool_spares.go; leftovers.go (what an
//     ended link has left on the broker) and hold.go (a link that ends leaves nothing half made)
//   - the broker: broker.go (who is served), broker_links.go (dial, lost, redial), links.go, guard.go
//     (a link whose faults are errors), backoff.go, pause.go, lease.go, pool.go, pool_waiting.go and pool_calls.go
//     (which link a channel is leased on), pool_links.go, pool_nodes.go and pool_idle.go,
//     channellimit.go (how many channels the broker allows), channels.go (the one place that opens
//     them), errands.go, pool_errands.go and broker_errands.go (those that are open for a moment, beside
//     streams), broker_spread.go and balance.go (over a cluster's nodes); nodes that a partition has
//     left alone:
//     broker_canaries.go, sight.go (which nodes hear each other), canaries.go
//   - what is tried before streams do it: broker_scouts.go, scouts.go, exchanges.go; what hangs:
//     broker_stuck.go
//   - failures: failures.go, herd.go (how long clients wait that were ended together)
//   - what is sent to a broker: amqp/queue.go
//
// # Glossary
//
//   - stream: the hand-over to one reader; connection: the actor behind it
//   - link, channel: an AMQP connection, an AMQP channel
//   - lease: the right to one channel of a link, from asking for it to the channel's close
//   - source: an actor's way to its messages; intake: what its consumer takes, and where it goes (a
//     sink)
//   - spare: a link's channel that serves no stream, which is given back where streams need it
//   - errand: one call on a link with streams, on a channel of its own
//   - scout: a try, on a link without streams, of what might end a link
//   - feed: the actor that has one queue for many streams; hub: its fan-out; routed: said of a stream
//     whose messages this process finds in the queue that all such streams share
//   - verdict: why a stream ended
//   - window: the deliveries under way to a reader, at most prefetch
//   - backlog: the bytes of messages that a stream holds in memory; pace: how many deliveries a
//     channel may have under way, so that their bytes stay within the limit
//   - retired: said of a link that gets no new streams, and is closed with its last
//   - canary: a message that shows whether links at different nodes hear each other; ear: a link's
//     queue of canaries; feeder: what publishes them at a node; blind: said of a node that does not
//     hear the others, and of its links
//   - herd: the streams that one event ends together
//   - upkeep: what is done for a link's queues beside their channels
//   - policy: the options that may change while a System runs
//   - drain: finish without taking new work; close: release; cancel: end a consumer; stop: end an
//     actor
package actors
