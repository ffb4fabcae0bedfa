package actors

import (
	"context"
	"errors"
	"fmt"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Code is why a stream ended or was refused. A client acts on the code.
type Code string

// The codes of the error event.
const (
	InvalidBindings   Code = "InvalidBindings"   // the request must change
	ExchangeForbidden Code = "ExchangeForbidden" // the operator's allow-list refuses an exchange
	BindingRefused    Code = "BindingRefused"    // the broker refused an exchange
	QueueDeleted      Code = "QueueDeleted"      // the stream's queue was deleted at the broker
	BrokerUnavailable Code = "BrokerUnavailable" // no broker when the stream was opened
	BrokerLost        Code = "BrokerLost"        // broker, link or channel went away under the stream
	SlowConsumer      Code = "SlowConsumer"      // the client did not read fast enough
	MessagesDropped   Code = "MessagesDropped"   // the broker dropped messages of the stream's queue
	ServerShutdown    Code = "ServerShutdown"    // the proxy is draining, or has ended this stream by hand
	Unauthorized      Code = "Unauthorized"      // no access, or not to these bindings
	StreamExpired     Code = "StreamExpired"     // the stream has reached the greatest age, or is moved
	TokenExpired      Code = "TokenExpired"      // the time of the access that opened the stream is over
	AccessRevoked     Code = "AccessRevoked"     // the host or an operator took the access away
	InternalError     Code = "InternalError"     // ours; the log has the cause
)

// The codes of a refusal before the stream's head: they never appear in an error event, since the
// answer is an HTTP status.
const (
	Draining        Code = "Draining"        // no new streams: the process is going away
	AtCapacity      Code = "AtCapacity"      // as many streams as the operator allows
	TooManyStreams  Code = "TooManyStreams"  // too many streams of one address or subject
	TooManyConnects Code = "TooManyConnects" // too many connects per second of one address
)

// ClientGone counts the streams whose reader left before they ended. It is told to no client.
const ClientGone Code = "ClientGone"

// Codes lists the codes of the error event, in the order of the documentation.
var Codes = []Code{
	InvalidBindings, ExchangeForbidden, BindingRefused, QueueDeleted, BrokerUnavailable,
	BrokerLost, SlowConsumer, MessagesDropped, ServerShutdown, Unauthorized, StreamExpired,
	TokenExpired, AccessRevoked, InternalError,
}

// Retryable reports whether the same request may work later; with TokenExpired, once it brings new
// access. It is false for a code that this package does not define: a program that defines one tells
// its clients what to do.
func (c Code) Retryable() bool {
	switch c {
	case QueueDeleted, BrokerUnavailable, BrokerLost, SlowConsumer, MessagesDropped, ServerShutdown,
		StreamExpired, TokenExpired, InternalError,
		Draining, AtCapacity, TooManyStreams, TooManyConnects:
		return true
	}
	return false
}

// Error is why a stream ended or was refused. It is the last event that a reader receives.
type Error struct {
	Code   Code
	Reason string // a sentence for people: no broker text, address or credentials
	Cause  error  // for the log only; may be nil

	// Together is how many streams end with this error at once, see [Error.RetryAfter]; 0 counts as
	// 1.
	Together int
}

// Error returns code, reason and cause: for logs, not for clients.
func (e *Error) Error() string {
	if e.Cause == nil {
		return fmt.Sprintf("%s: %s", e.Code, e.Reason)
	}
	return fmt.Sprintf("%s: %s: %v", e.Code, e.Reason, e.Cause)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Forbidden returns the error of a request whose client may not have one of its bindings.
func Forbidden(b amqp.Binding) *Error {
	return &Error{Code: Unauthorized, Reason: fmt.Sprintf("No access to the exchange %q with the routing key pattern %q", b.Exchange, b.Pattern)}
}

// orDefect returns err as a reader may be told it: nil, and an error without a code, become an
// InternalError.
func orDefect(err *Error) *Error {
	switch {
	case err == nil:
		return errNoReason
	case err.Code == "":
		return &Error{Code: InternalError, Reason: errNoReason.Reason, Cause: err}
	}
	return err
}

// endOf returns what the reader of a stream is told whose context has ended: the *Error of the
// context's cause, TokenExpired at its deadline, else AccessRevoked.
func endOf(ctx context.Context) *Error {
	cause := context.Cause(ctx)
	var told *Error
	switch {
	case errors.As(cause, &told):
		return orDefect(told)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Code: TokenExpired, Reason: "The time of the access to this stream is over", Cause: cause}
	}
	return &Error{Code: AccessRevoked, Reason: errRevoked.Reason, Cause: cause}
}

// CodeOf returns the code of the *Error that err wraps, InternalError for any other error, and ""
// for nil.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return InternalError
}
