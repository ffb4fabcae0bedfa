package actors

import (
	"errors"
	"fmt"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// subscribe makes the queue, its consumer and all its bindings, in this order:
// see worker. It stops early, without an error, when the worker is cancelled.
func (w *worker) subscribe(channel amqp.Channel) error {
	limits := w.system.options.Limits
	if err := channel.Declare(w.queue, amqp.QueueLimits{MaxLength: limits.MaxLength}); err != nil {
		return unopened(err)
	}
	w.tenant.progressed()
	if err := w.consume(channel); err != nil {
		return w.unopened(err)
	}
	w.tenant.progressed()
	for _, binding := range w.bindings {
		if w.cancelled.Load() {
			return nil
		}
		if err := channel.Bind(w.queue, binding); err != nil {
			return w.unopened(err)
		}
		w.tenant.progressed()
	}
	return nil
}

// consume makes the queue one that goes with its channel, or deletes it.
func (w *worker) consume(channel amqp.Channel) error {
	consuming := false
	defer func() {
		if !consuming {
			w.deleteQueue() // where the port panicked, too
		}
	}()
	err := channel.Consume(w.queue, w.prefetch())
	consuming = err == nil
	return err
}

// deleteQueue removes a queue that never had a consumer, on a channel of its
// own: the other one is closed. Where even that fails, x-expires does it.
func (w *worker) deleteQueue() {
	channel, err := w.link.Channel()
	if err != nil {
		return
	}
	defer channel.Close()
	_ = channel.Delete(w.queue)
}

// unopened is unopened, but for a queue that was deleted while it was bound.
func (w *worker) unopened(err error) error {
	var e *amqp.Error
	if errors.As(err, &e) && e.Kind == amqp.Refused && e.Code == amqp.NotFound && e.Subject == w.queue {
		return deletedError(err)
	}
	return unopened(err)
}

// unopened is what a client is told of an error before `ready`.
func unopened(err error) error {
	var e *amqp.Error
	if !errors.As(err, &e) {
		return &Error{Code: BrokerUnavailable, Reason: "The message broker went away while the stream was opened", Cause: err}
	}
	switch e.Kind {
	case amqp.Refused:
		return &Error{Code: BindingRefused, Reason: refusal(e), Cause: err}
	case amqp.Cancelled:
		return lostError(err)
	case amqp.Exhausted:
		return &Error{Code: BrokerUnavailable, Reason: "The message broker has no channel left", Cause: err}
	}
	return &Error{Code: BrokerUnavailable, Reason: "The message broker went away while the stream was opened", Cause: err}
}

// refusal says in our own words what the broker refused; the exchange's name
// is the client's own.
func refusal(e *amqp.Error) string {
	switch {
	case e.Op != "bind":
		return "The message broker refused to make the stream's queue"
	case e.Code == 404:
		return fmt.Sprintf("The exchange %q does not exist", e.Subject)
	case e.Code == 403:
		return fmt.Sprintf("The exchange %q may not be read by this service", e.Subject)
	}
	return fmt.Sprintf("The message broker refused a binding to the exchange %q", e.Subject)
}

// deletedError is what a client is told when its queue cannot be looked at:
// where the broker does not know it, it was deleted a moment ago.
func deletedError(err error) error {
	var e *amqp.Error
	if errors.As(err, &e) && e.Kind == amqp.Refused && e.Code == amqp.NotFound {
		err = &amqp.Error{Kind: amqp.Cancelled, Code: e.Code, Op: e.Op, Subject: e.Subject, Cause: e.Cause}
	}
	return lostError(err)
}

// lostError is what a client is told of an error after `ready`.
func lostError(err error) error {
	switch amqp.KindOf(err) {
	case amqp.Cancelled:
		return &Error{Code: QueueDeleted, Reason: "The stream's queue was deleted at the message broker", Cause: err}
	case amqp.LinkLost:
		return &Error{Code: BrokerLost, Reason: "The connection to the message broker was lost", Cause: err}
	}
	return &Error{Code: BrokerLost, Reason: "The message broker ended the stream's channel", Cause: err}
}
