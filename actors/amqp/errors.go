package amqp

import (
	"errors"
	"fmt"
)

// Kind is what an Error ended, which decides how to go on.
type Kind int

const (
	// Refused: the broker denied one operation (403, 404, 405, 406) and ended the channel. The same
	// request will be refused again.
	Refused Kind = iota + 1
	// Cancelled: the broker ended the consumer, as it does when the queue is deleted. The channel
	// is still open.
	Cancelled
	// ChannelLost: the channel ended for another reason; the link is alive.
	ChannelLost
	// LinkLost: the link ended, and every channel with it.
	LinkLost
	// Exhausted: the link has no room for a further channel.
	Exhausted
	// Nacked: the broker did not take responsibility for a message in every queue that it was
	// routed to; which of them have it is unknown, see Publisher.Publish. Nothing ended.
	Nacked
)

var kindNames = map[Kind]string{
	Refused: "refused", Cancelled: "cancelled", ChannelLost: "channel lost",
	LinkLost: "link lost", Exhausted: "channels exhausted", Nacked: "not taken",
}

// String returns the kind in words.
func (k Kind) String() string { return kindNames[k] }

// Reply codes of a broker (0-9-1, section 1.2, and RabbitMQ's use of it).
const (
	ConnectionForced   = 320 // an operator ended the link: the broker stops
	AccessRefused      = 403 // no permission, or a reserved name
	NotFound           = 404 // no such exchange or queue
	ResourceLocked     = 405 // an exclusive queue of another link
	PreconditionFailed = 406 // other arguments than before, an unknown tag, a limit
	FrameError         = 501 // what is sent is no AMQP; also for a broken socket
	CommandInvalid     = 503 // no such kind of exchange
	ChannelError       = 504 // the link has no channel number left
	NotAllowed         = 530 // more channels than the user or the node may have; ends the link
	InternalError      = 541 // the broker's own failure, such as a binding that an exchange's type cannot take; ends the link
)

// Error is a failed operation. It is for logs and decisions, never for clients: Cause holds the
// broker's own words.
type Error struct {
	Kind    Kind
	Code    int    // AMQP reply code, 0 where there is none
	Op      string // "declare", "bind", "consume", …
	Subject string // the queue or exchange; the address of a dial
	Cause   error
}

// Error returns the operation, its subject where there is one, and the cause on one line.
func (e *Error) Error() string {
	text := e.Op
	if e.Subject != "" {
		text = fmt.Sprintf("%s %q", e.Op, e.Subject)
	}
	switch {
	case e.Op == "dial" && e.Cause != nil: // there was no link that could be lost
		return fmt.Sprintf("%s: %v", text, e.Cause)
	case e.Op == "dial":
		return text + ": no connection"
	case e.Cause == nil:
		return fmt.Sprintf("%s: %s", text, e.Kind)
	}
	return fmt.Sprintf("%s: %s: %v", text, e.Kind, e.Cause)
}

// Unwrap returns the cause, which may be nil.
func (e *Error) Unwrap() error { return e.Cause }

// KindOf returns the kind of the *Error that err wraps, and 0 where there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return 0
}

// CodeOf returns the AMQP reply code of the *Error that err wraps, and 0 without one.
func CodeOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return 0
}

// Provoked reports whether err is of Kind LinkLost and its reply code means that the broker has
// ended the link because of what was sent on it: not for an operator, nor for a broken socket.
func Provoked(err error) bool {
	code := CodeOf(err)
	return KindOf(err) == LinkLost && code > FrameError && code < 600
}

// refuses reports whether a reply code denies one operation and ends its channel.
func refuses(code int) bool { return code >= AccessRefused && code <= PreconditionFailed }

// refusal returns the error of an operation that the broker denied.
func refusal(code int, op, subject, format string, args ...any) *Error {
	return &Error{Kind: Refused, Code: code, Op: op, Subject: subject, Cause: fmt.Errorf(format, args...)}
}

func prefetchRefused(queue string, prefetch int) *Error {
	return refusal(PreconditionFailed, "consume", queue, "prefetch is %d, it must be 1 to %d", prefetch, MaxPrefetch)
}
