package actors

import (
	"fmt"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Request is what a stream is asked for with.
type Request struct {
	// Bindings say which messages; 1 to Limits.Bindings distinct ones.
	Bindings []amqp.Binding

	// Address is the client's, for limits and logs. Empty where there is none: no limit by address
	// applies then.
	Address string

	// Subject names whose stream it is, as the program that opens it knows its users: for
	// Limits.StreamsPerSubject, [BySubject], logs and the live tree. Empty: not known, and no limit
	// by subject applies.
	Subject string

	// Map changes each message before it is encoded, where it is read from the broker; nil: messages
	// are read as they come. It returns what the stream receives in place of the message: the same
	// one, with other fields, or another; nil drops the message, which is acknowledged in its turn.
	// JSON is empty then and made from what Map returns; Body is nil where it is larger than
	// Limits.MessageBytes. What Body and Routes hold must not be changed, as other streams may share
	// it: set the field instead.
	//
	// Map is called by one goroutine at a time for one stream, and must return quickly: other
	// streams of a shared queue wait for it. It must not call the stream's methods. A panic in it
	// ends this stream with InternalError.
	Map func(*Message) *Message
}

// check returns the request's distinct bindings as they were asked for, which is how they are
// shown; or why they are refused.
func (o Options) check(r Request) ([]amqp.Binding, *Error) {
	if len(r.Bindings) == 0 {
		return nil, invalid("Bindings must hold at least one and at most %d elements", o.Limits.Bindings)
	}
	for i, b := range r.Bindings {
		if err := b.Validate(); err != nil {
			return nil, invalid("Binding %d: %s", i, err)
		}
	}
	bindings := amqp.Distinct(r.Bindings)
	if len(bindings) > o.Limits.Bindings {
		return nil, invalid("%d distinct bindings, at most %d are allowed", len(bindings), o.Limits.Bindings)
	}
	for _, b := range bindings {
		if !o.allowed(b.Exchange) {
			return nil, &Error{Code: ExchangeForbidden, Reason: fmt.Sprintf("This service gives no messages of the exchange %q", b.Exchange)}
		}
	}
	return bindings, nil
}

// normal returns the bindings as the broker is asked for them: those of equal streams are equal.
func normal(asked []amqp.Binding) []amqp.Binding {
	bindings := make([]amqp.Binding, len(asked))
	for i, b := range asked {
		bindings[i] = b.Normal()
	}
	return bindings
}

func invalid(format string, args ...any) *Error {
	return &Error{Code: InvalidBindings, Reason: fmt.Sprintf(format, args...)}
}
