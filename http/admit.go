package httpapi

import (
	"context"
	"errors"
	"net/http"

	"github.com/taskcluster/events-proxy/actors"
)

// Unauthorized returns the error of a request that has no access, for Options.Admit. The reason is a
// sentence that the client is told.
func Unauthorized(reason string) *actors.Error {
	return &actors.Error{Code: actors.Unauthorized, Reason: reason}
}

// errNotAdmitted: Admit has failed, rather than decided.
var errNotAdmitted = &actors.Error{Code: actors.InternalError, Reason: "A defect of this service: whether you have access could not be decided"}

// access is what a stream is opened with.
type access struct {
	context context.Context    // the stream lives no longer; it has the request's values
	release context.CancelFunc // to be called when the stream has ended; nil where nothing waits for that
}

// admit asks the host whether a request gets its stream, and returns why not, nil where it does.
func (h *Handler) admit(r *http.Request, q *actors.Request) (access, *actors.Error) {
	values := valuesOf(r)
	if h.options.Admit == nil {
		return access{context: values}, nil
	}
	life, release := context.WithCancel(values)
	stay := context.AfterFunc(r.Context(), release) // the client leaves, and the host need not go on
	ctx, refusal := h.askHost(r.WithContext(life), q)
	stay()
	switch {
	case refusal != nil:
		release()
		return access{}, refusal
	case ctx == nil:
		return access{life, release}, nil
	}
	return access{hostContext{ctx, values}, release}, nil
}

// askHost calls Options.Admit.
func (h *Handler) askHost(r *http.Request, q *actors.Request) (ctx context.Context, refusal *actors.Error) {
	defer func() {
		if v := recover(); v != nil {
			if v == http.ErrAbortHandler {
				panic(v)
			}
			h.logPanic(r, v)
			refusal = errNotAdmitted
		}
	}()
	ctx, err := h.options.Admit(r, q)
	var told *actors.Error
	switch {
	case err == nil:
		return ctx, nil
	case errors.As(err, &told) && told != nil && told.Code != "":
		h.log.DebugContext(r.Context(), "not admitted", "address", q.Address, "error", err)
		return nil, told
	case r.Context().Err() == nil: // else the client has left
		h.log.ErrorContext(r.Context(), "admission failed", "address", q.Address, "error", err)
	}
	return nil, errNotAdmitted
}

// hostContext is the context of a host's session with the values of the request behind its own.
type hostContext struct {
	context.Context
	values context.Context // never ends
}

// Value returns the host's value, else the request's.
func (c hostContext) Value(key any) any {
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.values.Value(key)
}

// held is a stream whose access is released when it is closed.
type held struct {
	*actors.Stream
	release context.CancelFunc
}

// Close closes the stream and releases its access, in this order: the end of the access must not be
// taken for the stream's reason.
func (s held) Close() {
	s.Stream.Close()
	s.release()
}
