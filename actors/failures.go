package actors

import (
	"errors"
	"fmt"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// This file is the one way from what went wrong at the broker, or in this process, to what a client
// is told: an *Error, whose cause is for the log only.
//
//	before ready, any call           openFailure       BindingRefused, BrokerUnavailable, QueueDeleted
//	the first bind to an exchange    bindFailure       and BindingRefused where the broker ends the link
//	after ready, deliveries, acks    lossFailure       BrokerLost, QueueDeleted
//	after ready, the queue's depth   depthFailure      and QueueDeleted where the broker knows no such queue
//	a binding that is repeated       rebindFailure     and BindingRefused
//	an actor or a worker             failureOf         the *Error that it failed with, else InternalError

// openFailure returns what a client is told of an error before `ready`, while its queue is made and
// bound.
func openFailure(err error, queue string) *Error {
	var told *Error
	if errors.As(err, &told) { // a panic
		return told
	}
	var e *amqp.Error
	if errors.As(err, &e) {
		switch e.Kind {
		case amqp.Refused:
			return refusedFailure(e, queue, err)
		case amqp.Cancelled:
			return lossFailure(err)
		case amqp.Exhausted:
			return &Error{Code: BrokerUnavailable, Reason: errNoChannelLeft.Reason, Cause: err}
		}
	}
	return &Error{Code: BrokerUnavailable, Reason: "The message broker went away while the stream was opened", Cause: err}
}

// refusedFailure returns what a client is told of an operation that the broker refused. Only a bind
// is what the client has asked for; the exchange's name is its own. A queue that cannot be made is
// for want of room or rights of this service, and the same request may work later.
func refusedFailure(e *amqp.Error, queue string, cause error) *Error {
	switch {
	case e.Subject == queue && e.Code == amqp.NotFound && e.Op != "declare":
		return depthFailure(cause)
	case isDenied(e, queue):
		return &Error{Code: BrokerUnavailable, Reason: "The message broker does not let this service make queues at present", Cause: cause}
	case e.Op != "bind":
		return &Error{Code: BrokerUnavailable, Reason: "The message broker has no room for the stream's queue", Cause: cause}
	case e.Code == amqp.NotFound:
		return bindingRefused(cause, "The exchange %q does not exist", e.Subject)
	case e.Code == amqp.AccessRefused:
		return bindingRefused(cause, "The exchange %q may not be read by this service", e.Subject)
	}
	return bindingRefused(cause, "The message broker refused a binding to the exchange %q", e.Subject)
}

func bindingRefused(cause error, format, exchange string) *Error {
	return &Error{Code: BindingRefused, Reason: fmt.Sprintf(format, exchange), Cause: cause}
}

// bindFailure is openFailure for a scout's bind. Where the broker has ended the link because of it
// (end is the link's error), the same bind would end the next one.
func bindFailure(err, end error, queue, exchange string) *Error {
	if amqp.KindOf(err) == amqp.LinkLost && amqp.Provoked(end) {
		return bindingRefused(err, "The message broker refused a binding to the exchange %q", exchange)
	}
	return openFailure(err, queue)
}

// rebindFailure returns what a client is told when a binding that was in place cannot be repeated.
func rebindFailure(err error, queue string) *Error {
	var e *amqp.Error
	if errors.As(err, &e) && e.Kind == amqp.Refused && e.Subject != queue {
		return refusedFailure(e, queue, err)
	}
	return depthFailure(err)
}

// droppedFailure returns what a client is told when the broker has dropped n messages, or more, of
// the stream's queue.
func droppedFailure(n int) *Error {
	return &Error{Code: MessagesDropped, Reason: fmt.Sprintf(
		"The message broker has dropped messages of this stream, %d or more: a policy of its operator limits the stream's queue", n)}
}

// isGone reports whether the broker does not know the queue.
func isGone(err error, queue string) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Kind == amqp.Refused && e.Code == amqp.NotFound && e.Subject == queue
}

// isDenied reports whether the broker has denied this service the right to make or use its own
// queue, which is for an operator to mend.
func isDenied(err error, queue string) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Kind == amqp.Refused && e.Code == amqp.AccessRefused && (e.Op != "bind" || e.Subject == queue)
}

// isRoomless reports whether the broker has refused to make a queue, and not for want of a right.
func isRoomless(err error) bool {
	var e *amqp.Error
	return errors.As(err, &e) && e.Kind == amqp.Refused && e.Op == "declare" && e.Code == amqp.PreconditionFailed
}

// lossFailure returns what a client is told of an error after `ready`.
func lossFailure(err error) *Error {
	switch amqp.KindOf(err) {
	case amqp.Cancelled:
		return &Error{Code: QueueDeleted, Reason: "The stream's queue was deleted at the message broker", Cause: err}
	case amqp.LinkLost:
		return &Error{Code: BrokerLost, Reason: "The connection to the message broker was lost", Cause: err}
	}
	return &Error{Code: BrokerLost, Reason: "The message broker ended the stream's channel", Cause: err}
}

// depthFailure returns what a client is told when its queue cannot be looked at: where the broker
// does not know it, it was deleted a moment ago.
func depthFailure(err error) *Error {
	var e *amqp.Error
	if errors.As(err, &e) && e.Kind == amqp.Refused && e.Code == amqp.NotFound {
		err = &amqp.Error{Kind: amqp.Cancelled, Code: e.Code, Op: e.Op, Subject: e.Subject, Cause: e.Cause}
	}
	return lossFailure(err)
}

// failureOf returns what a client is told of an actor or worker that failed with a reason: the
// *Error in it, or InternalError without the text of the defect.
func failureOf(reason any) *Error {
	err, ok := reason.(error)
	if !ok {
		err = fmt.Errorf("panic: %v", reason)
	}
	var told *Error
	if errors.As(err, &told) {
		return told
	}
	return &Error{Code: InternalError, Reason: "A defect of this service ended the stream", Cause: err}
}

// exitFailure returns why a consumer fails when its worker has exited with err. A worker that exits
// without an error while its consumer runs was not cancelled, which is a defect.
func exitFailure(err error) error {
	if err == nil {
		return errConsumerEnded
	}
	return err
}

// recovered turns a panic into the function's error, unless it has one already: then it was the
// closing that panicked. It is to be deferred.
func recovered(err *error) {
	if r := recover(); r != nil && *err == nil {
		*err = failureOf(r)
	}
}

// requestedFailure returns the reason of a failure that [System.Crash] asked for.
func requestedFailure(role Role) error {
	return &Error{Code: InternalError, Reason: "A failure was asked for", Cause: fmt.Errorf("crash of %s", role)}
}

// The same for every stream, so that one value does for all.
var (
	errDraining       = &Error{Code: Draining, Reason: "The service is shutting down"}
	errShutdown       = &Error{Code: ServerShutdown, Reason: "The service is shutting down"}
	errEndedByHand    = &Error{Code: ServerShutdown, Reason: "An operator has ended this stream"}
	errExpired        = &Error{Code: StreamExpired, Reason: "The stream has reached the greatest age that the service allows"}
	errRevoked        = &Error{Code: AccessRevoked, Reason: "The access to this stream was taken away"}
	errNoReason       = &Error{Code: InternalError, Reason: "The stream was ended without a reason"}
	errNoSuchActor    = &Error{Code: InternalError, Reason: "There is no such actor"}
	errReaderGone     = &Error{Code: ClientGone, Reason: "The reader has gone"}
	errNoBroker       = &Error{Code: BrokerUnavailable, Reason: "The message broker cannot be reached at present"}
	errNoChannelLeft  = &Error{Code: BrokerUnavailable, Reason: "The message broker has no channel left"}
	errNoCallAnswered = &Error{Code: BrokerUnavailable, Reason: "The message broker gives no answer at present"}
	errCallLost       = &Error{Code: BrokerLost, Reason: "The message broker gives no answer any more"}
	errMoved          = &Error{Code: StreamExpired, Reason: "The stream is moved: another node of the message broker has fewer"}
	errBlind          = &Error{Code: BrokerLost, Reason: "The stream's node of the message broker has lost sight of the others"}
	errActorEnded     = &Error{Code: InternalError, Reason: "The stream's actor ended without a word"}
	errFeedEnded      = &Error{Code: InternalError, Reason: "The stream's feed ended without a word"}
	errConsumerEnded  = &Error{Code: InternalError, Reason: "The stream's consumer ended without a word"}
	errDefect         = &Error{Code: InternalError, Reason: "A defect of this service ended the stream"}
	errMisrouted      = &Error{Code: InternalError, Reason: "Messages of this stream's exchanges may have been missed; a further stream is served in another way"}
	errTooManyWaiting = &Error{Code: SlowConsumer, Reason: "The client reads more slowly than messages come: too many wait for it"}
	errStoppedReading = &Error{Code: SlowConsumer, Reason: "The client has stopped reading"}
)
