// Package actors is the events proxy without HTTP: a supervision tree in which
// every reader's stream is an actor that owns its AMQP consumer and its ping
// timer. Whatever goes wrong for one reader is told to that reader as the last
// event of its stream, tidied up at the broker, and felt by nobody else.
//
// # The tree
//
//	events                 restarts a child 3 times in 10 s, then the System ends
//	├─ broker              AMQP links: dial, lost, redial; gives out channels
//	├─ feeds               (shared mode) one feed per distinct set of bindings
//	│  └─ feed*            one consumer for all streams with these bindings
//	└─ connections         admits, counts, drains
//	   └─ connection*      the life of one stream; never restarted
//	      └─ consumer*     owns one worker: the goroutine that holds one AMQP channel
//
// supervision.go has the strategies, messages.go every message.
//
// # The flow
//
//	System.Connect ─admit─▶ connections ─spawn─▶ connection ─acquire─▶ broker
//	                                                 │ ◀────acquired────┘
//	                                                 └─spawn─▶ consumer ─▶ worker ─▶ amqp.Channel
//	reader ◀─Take, Next── Stream ◀──────ready, messages────────────────────┘
//	   └──Done─▶ worker acknowledges
//
// The connection owns its stream's life, not its bytes: messages go from the
// worker straight into the Stream. An actor message per delivery costs a third
// of a fan-out's throughput and would decide nothing.
//
// In shared mode (Options.ShareQueues) streams with equal bindings attach to
// one feed: its one worker delivers to a hub, which puts the same message into
// every stream. A stream whose bytes wait is cut; the feed waits for nobody.
// The last one's leaving, and a short linger, removes the queue.
//
// Blocking happens in two places: in the worker (AMQP calls) and in the reader
// (a socket). An actor never blocks, so it can always be stopped.
//
// # Who fails, what happens
//
// A worker that cannot go on reports to its consumer, the consumer panics with
// the reason (an *Error), and the connection, as its supervisor, makes it the
// stream's verdict (connection.HandleFailure). The verdict is set once, and
// four layers see to it that there is one: the connection's own; its Stopping
// and Stopped; connections, when it hears that a connection has ended; and the
// reader's watchdog over a stream that has fallen silent.
//
// # Who owns what
//
//   - An AMQP channel and its queue: one worker, which closes the channel in
//     its one defer. A queue is consumed before it is bound, so that it goes
//     with its channel at any time from then on.
//   - An AMQP link: links (links.go), on behalf of the broker actor.
//   - A stream's verdict: the first that sets it. Its bytes: the reader.
//
// # Where to look
//
//   - a new kind of event: event.go, where it is offered (worker.go), and the
//     frame in package httpapi
//   - a new rule for bindings: amqp/binding.go (true for every broker) or
//     request.go (ours)
//   - a new failure code: errors.go, then where it arises: worker.go for the
//     broker's refusals and losses, connections.go for admission
//   - when a slow reader is cut: window.go
//   - what is sent to a broker: amqp/queue.go
//
// # Glossary
//
//   - stream: the hand-over to one reader; connection: the actor behind it
//   - link, channel: an AMQP connection, an AMQP channel
//   - feed: the actor that has one queue for many streams; hub: its fan-out
//   - lease: the right to one channel of a link; it ends when the channel is
//     closed, which its tenant tells
//   - verdict: why a stream ended
//   - window: the deliveries under way to a reader, at most prefetch
//   - drain: finish without taking new work; close: release; cancel: end a
//     consumer; stop: end an actor
package actors
