package httpapi

import "github.com/taskcluster/events-proxy/actors"

// The reasons for which this package ends a stream; those of the actors come as
// its last event. The first reason of either side stands.
var (
	// errTooSlow: a write to the client missed its deadline.
	errTooSlow = &actors.Error{Code: actors.SlowConsumer,
		Reason: "The client did not read fast enough; messages after this point are lost to it"}

	// errDefect: a panic of ours, or an event that has no frame.
	errDefect = &actors.Error{Code: actors.InternalError, Reason: "A defect of this service ended the stream"}

	// errIdle: the watchdog has seen no event for three ping periods.
	errIdle = &actors.Error{Code: actors.InternalError, Reason: "The stream fell silent; a defect of this service"}

	// errHostDeadline: the time that a host's middleware allows a request is over.
	errHostDeadline = &actors.Error{Code: actors.ServerShutdown, Reason: "The time for this stream is over"}

	// errHostCancelled: a host's middleware has cancelled the request.
	errHostCancelled = &actors.Error{Code: actors.ServerShutdown, Reason: "The service has ended this stream"}

	// errShuttingDown: the handler is being shut down.
	errShuttingDown = &actors.Error{Code: actors.ServerShutdown, Reason: "The service is shutting down"}
)
