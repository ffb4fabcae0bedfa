package actors

import (
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Every message between actors stands here, grouped by conversation. Requests are verbs, answers
// are past participles. All are values, and what they point to must not be changed once it was
// sent.

// late marks a message that may reach an actor just after it stopped. The actor system drops it
// without a log line, and without the goroutine that counts such lines.
type late struct{}

// IgnoreDeadLetterLogging makes protoactor drop the message.
func (late) IgnoreDeadLetterLogging() {}

// elapsed: timer → the actor that has set it (timers.go). The event is one of the messages below
// that an actor sends to itself.
type elapsed struct {
	late
	of    *timers
	timer *timer
	event any
}

// asked: System → root → connections. A question, which is one of the messages below, and the way
// back for its answer.
type asked struct {
	late
	question any
	answers  chan any // of one, so that the actor never waits
}

// Opening and counting streams.
type (
	// admit: System → root → connections. Answered by admitted or refused.
	admit struct {
		late
		stream   *Stream
		bindings []amqp.Binding
	}

	// examine: System → root → connections. Would a stream of this address be admitted? Answered by
	// admitted or refused; it takes no place.
	examine struct {
		late
		address string
	}

	// reconnect: System → root → connections. Counts a connect of a client that is told to stop.
	// Answered by admitted, or refused with TooManyConnects.
	reconnect struct {
		late
		address string
	}

	// admitted: connections → System. The stream's connection is running.
	admitted struct{ late }

	// refused: connections → System, broker → connection. Final.
	refused struct {
		late
		err *Error
	}
)

// A stream and its reader.
type (
	// closed: Stream → connection. The reader has closed the stream.
	closed struct{ late }

	// finish: Stream, connections, feeds or upkeep → connection; upkeep or broker → feed. End the
	// stream, or the feed's streams, with err.
	finish struct {
		late
		err *Error
	}

	// pingDue: connection → itself.
	pingDue struct{ late }
)

// A connection, or a feed, and the broker: a lease is the right to one channel (lease.go). The
// sender is always the lease's owner.
type (
	// requestLease: connection → broker. Answered by leased or refused, in the order of asking.
	requestLease struct {
		late
		bindings []amqp.Binding
		beside   bool // a second channel, too
	}

	// leased: broker → connection. The link has room for one more channel.
	leased struct {
		late
		link   amqp.Link
		herd   *herd   // of the link
		upkeep *upkeep // of the link
	}

	// progressed: worker → broker. The channel is still being opened, and the link answers.
	progressed struct{ late }

	// calling: worker → broker. A call is under way on a channel that is consuming; progressed says
	// that it was answered.
	calling struct{ late }

	// denied: worker → broker. The broker does not let this service make or use its queue.
	denied struct {
		late
		err *Error
	}

	// noRoom: worker → broker. The broker has no room for another queue.
	noRoom struct{ late }

	// exhausted: worker → broker. The link has room for fewer channels than the pool has assumed.
	exhausted struct{ late }

	// opened: worker → broker. The channel is open and consuming: the next one may be opened. node
	// is the owner's, which knows how many streams the channel serves.
	opened struct {
		late
		node *node
	}

	// release: worker → broker, when the channel is closed; connection → broker, when the lease is
	// no longer wanted before there is a worker: then it is unused.
	release struct {
		late
		unused bool
	}

	// prove: broker → owner → consumer. Call the broker on the channel that is open: the link is in
	// doubt.
	prove struct{ late }
)

// A routed feed and the exchanges that its streams want.
type (
	// tryExchange: routed feed → broker. May the exchange be bound on a link with streams? Answered
	// by exchangeUsable. again: a bind had no answer, whatever is known of the exchange.
	tryExchange struct {
		late
		binding amqp.Binding
		again   bool
	}

	// exchangeUsable: broker → routed feed. Nothing is known against binding the exchange where err
	// is nil, else streams that want it are told err.
	exchangeUsable struct {
		late
		exchange string
		err      *Error
	}

	// exchangeBound: binding goroutine → routed feed. The queue was bound to the exchange, for the
	// first time or again, or could not be; asked is when that began.
	exchangeBound struct {
		late
		exchange string
		asked    time.Time
		err      error
	}

	// exchangeUnusable: rebinder → routed feed. The exchange cannot be bound any more.
	exchangeUnusable struct {
		late
		exchange string
		err      *Error
	}

	// bindAgain: rebinder → routed feed. The binding to the exchange is to be repeated.
	bindAgain struct {
		late
		exchange string
	}

	// bindingLate: routed feed → itself. Look for streams and binds that have waited long enough.
	bindingLate struct{ late }

	// misrouted: worker → routed feed. A message of an exchange has come that the queue is not bound
	// to.
	misrouted struct {
		late
		exchange string
	}
)

// A consumer and its worker, and the connection above them. A failure is no message: the consumer
// panics with the *Error, and the connection hears of it as its supervisor.
type (
	// subscribed: worker → consumer → connection. Every binding is in place, and the stream has
	// been told.
	subscribed struct{ late }

	// exited: worker → consumer. The channel is closed; err is why, nil when the consumer cancelled
	// the worker.
	exited struct {
		late
		err error
	}
)

// A connection and its feed (shared queues, routed queue).
type (
	// attach: connection → feeds → feed. Answered by subscribed when the stream is ready, by finish
	// when the feed has failed.
	attach struct {
		late
		stream   *Stream
		bindings []amqp.Binding
	}

	// detach: connection → feeds → feed. The stream has ended.
	detach struct {
		late
		stream *Stream
	}

	// failed: feed → feeds. End every attached stream with err.
	failed struct {
		late
		err *Error
	}

	// lingered: feeds → itself. The feed has been idle for long enough, unless it has had a stream
	// since it became idle for that time.
	lingered struct {
		late
		key  string
		idle int
	}
)

// The broker actor and its links.
type (
	// dialed: dial goroutine → broker. by is whose it was: the actor may have been restarted
	// meanwhile.
	dialed struct {
		late
		by   *links
		link amqp.Link
		err  error
	}

	// dialedElsewhere: dial goroutine → broker. The same of a dial to a node without a link.
	dialedElsewhere struct {
		late
		by   *links
		link amqp.Link
		err  error
	}

	// dropsTried: scout → broker. What is needed to hear what queues drop could be made, or why not.
	dropsTried struct {
		late
		by  *links
		err error
	}

	// spareChanged: a link's upkeep → broker. What has become of the channel that serves no stream.
	spareChanged struct {
		late
		link  amqp.Link
		spare spare
	}

	// spareDue: broker → itself. A spare may be opened again.
	spareDue struct{ late }

	// spreadDue: broker → itself. Look again for a node without a link.
	spreadDue struct{ late }

	// rebalanceDue: broker → itself. Look whether nodes have their share of the streams.
	rebalanceDue struct{ late }

	// lost: watching goroutine → broker. The link has ended.
	lost struct {
		late
		link amqp.Link
	}

	// dialDue: broker → itself, when the back-off is over.
	dialDue struct{ late }

	// refuseWaiting: broker → itself. The first or the next link is not awaited any longer.
	refuseWaiting struct{ late }

	// checkCalls: broker → itself. Look for calls that are not answered.
	checkCalls struct{ late }

	// probeEnded: probing goroutine → broker. Whether the link has answered.
	probeEnded struct {
		late
		link     amqp.Link
		answered bool
	}

	// exchangeTried: scout → broker. A throw-away queue was bound to the exchange; err is
	// errNoScout where that could not be tried, else what a client is told.
	exchangeTried struct {
		late
		by       *links
		exchange string
		queue    string // the throw-away queue
		err      error
	}

	// channelsTried: scout → broker. So many channels could be opened at once; err is why not more.
	channelsTried struct {
		late
		by     *links
		opened int
		err    error
	}

	// limitMet: scout → broker. The broker has ended the scout's link for a channel too many;
	// channelsTried comes when the scout has counted.
	limitMet struct {
		late
		by *links
	}

	// tryAgain: rebinder → broker. May the binding be repeated on a link with streams? report is
	// called, in the broker's turn: it must not wait.
	tryAgain struct {
		late
		by      *links
		binding amqp.Binding
		report  func(error)
	}

	// requestErrand: goroutine → broker. May a channel be opened on the link for a moment? Answered
	// on the channel, which has room for that.
	requestErrand struct {
		late
		link   amqp.Link
		answer chan<- bool
	}

	// errandEnded: goroutine → broker. The channel of an errand is closed.
	errandEnded struct {
		late
		link amqp.Link
	}

	// swept: goroutine → broker. What ended links had left behind is deleted, as far as that can be.
	swept struct {
		late
		by   *links
		link amqp.Link
	}

	// besideChanged: a feed's binder → broker. What has become of the second channel.
	besideChanged struct {
		late
		link  amqp.Link
		state besideState
	}

	// channelCounted: broker → itself. The broker knows by now that a channel is closed.
	channelCounted struct{ late }

	// tryRights: broker → itself. Look whether the service may make its queues again.
	tryRights struct{ late }

	// rightsTried: scout → broker. It could make and use a queue, where err is nil.
	rightsTried struct {
		late
		by  *links
		err error
	}

	// canaryDue: broker → itself. Judge what canaries have shown, and send the next.
	canaryDue struct{ late }

	// earOpened: ear → broker. The link hears canaries from now on.
	earOpened struct {
		late
		by   *links
		link amqp.Link
	}

	// canaryHeard: ear → broker. The link has heard a canary that was published at an address.
	canaryHeard struct {
		late
		by   *links
		link amqp.Link
		from string
	}

	// earEnded: ear → broker. Its channel is closed; err is why, nil where it was to end.
	earEnded struct {
		late
		by   *links
		link amqp.Link
		end  chan struct{} // the ear's
		err  error
	}

	// feederEnded: feeder → broker. Its link is closed; err is why, nil where it was to end.
	feederEnded struct {
		late
		by      *links
		address string
		end     chan struct{} // the feeder's
		err     error
	}

	// canariesCounted: broker → itself. The broker knows by now that channels of canaries are
	// closed.
	canariesCounted struct{ late }

	// closeScouts: broker → itself. The scouts' links have not been used for a while.
	closeScouts struct{ late }

	// closeIdle: broker → itself. A link that is not needed may be closed.
	closeIdle struct {
		late
		link amqp.Link
	}
)

// Draining.
type (
	// drain: System → root → connections. Answered by drained when the last stream has ended.
	drain struct {
		late
		spread time.Duration
	}

	// stopLingering: root → feeds. A feed without a stream stops at once.
	stopLingering struct{ late }

	// shutdownNext: connections → itself. End the next few streams.
	shutdownNext struct{ late }

	// expire: connection → itself. The stream has reached the greatest age.
	expire struct{ late }

	// shutdown: connections → connection. End with ServerShutdown.
	shutdown struct {
		late
		err *Error
	}

	// drained: connections → System.
	drained struct{ late }
)

// Ended by a host or an operator.
type (
	// endStreams: System → root → connections. Answered by endedStreams, once every stream that is
	// meant has its verdict.
	endStreams struct {
		late
		which Which
		err   *Error
	}

	// sendCustom: System → root → connections. Answered by sentCustom.
	sendCustom struct {
		which Which
		event Custom
	}

	// sentCustom: connections → System.
	sentCustom struct {
		count int // of streams that have taken the event
	}

	// endedStreams: connections → System.
	endedStreams struct {
		late
		count int
	}
)

// Made to fail, on purpose.
type (
	// crash: System → root → the actor that is meant. Answered by crashed where there is such an
	// actor, by refused where there is none.
	crash struct {
		late
		role   Role
		stream string
	}

	// crashed: the actor's parent → System. It was told to fail.
	crashed struct{ late }

	// fail: parent → child. Panic now; role says how far down. Where a feed feeds the stream it goes
	// connection → feeds → feed, and stream says which.
	fail struct {
		late
		role   Role
		stream *Stream
	}
)
