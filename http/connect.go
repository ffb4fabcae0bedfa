package httpapi

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/taskcluster/events-proxy/actors"
)

// connect serves an event stream. The order of its checks is the contract's:
// who is to stop, who has no room, what is too large, what is wrong.
func (h *Handler) connect(w http.ResponseWriter, r *http.Request) {
	q := parseQuery(r.URL.RawQuery)
	if q.lastEventID || r.Header.Get("Last-Event-ID") != "" {
		w.WriteHeader(http.StatusNoContent) // an EventSource that reconnects by itself stops at this
		return
	}
	if r.Method == http.MethodHead {
		streamHeaders(w.Header())
		w.WriteHeader(http.StatusOK)
		return
	}
	address := h.clientAddress(r)
	if tooLarge := h.tooLarge(r); tooLarge != nil {
		h.refuseIfAdmissible(w, r, address, tooLarge)
		return
	}
	bindings, err := q.parse()
	if err != nil {
		h.refuseIfAdmissible(w, r, address, &actors.Error{Code: actors.InvalidBindings, Reason: err.Error()})
		return
	}
	h.stream(w, r, actors.Request{Bindings: bindings, Address: address})
}

// stream asks the system for a stream and serves it.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, request actors.Request) {
	if h.open.shuttingDown() {
		h.refuse(w, r, &actors.Error{Code: actors.Draining, Reason: errShuttingDown.Reason})
		return
	}
	stream, err := h.system.Connect(r.Context(), request)
	var told *actors.Error
	switch {
	case err == nil:
		h.serve(w, r, stream)
	case r.Context().Err() != nil: // the client has gone
	case errors.As(err, &told) && isRefusal(told.Code):
		h.refuse(w, r, told)
	case told != nil && told.Code != actors.InternalError: // the bindings; asked before the room
		h.refuseIfAdmissible(w, r, request.Address, told)
	default:
		h.log.Error("connect", "error", err)
		h.end(w, errDefect)
	}
}

// refuseIfAdmissible refuses what is wrong with a request, unless the service
// has no room for it anyway, which is told first.
func (h *Handler) refuseIfAdmissible(w http.ResponseWriter, r *http.Request, address string, why *actors.Error) {
	var full *actors.Error
	if err := h.system.Admissible(r.Context(), address); errors.As(err, &full) && isRefusal(full.Code) {
		why = full
	}
	if isRefusal(why.Code) {
		h.refuse(w, r, why)
		return
	}
	h.metrics.refused(why.Code)
	h.end(w, why)
}

func isRefusal(code actors.Code) bool {
	_, ok := refusals[code]
	return ok
}

// end answers with a stream that holds its error event and nothing else.
func (h *Handler) end(w http.ResponseWriter, why *actors.Error) {
	streamHeaders(w.Header())
	w.WriteHeader(http.StatusOK)
	w.Write(errorFrame(why))
}

// tooLarge says what is too large about a request's head. net/http refuses
// what is beyond twice the limit by itself, without our headers.
func (h *Handler) tooLarge(r *http.Request) *actors.Error {
	limit := h.options.HeadBytes
	if len(r.RequestURI) > limit {
		return &actors.Error{Code: urlTooLong, Reason: fmt.Sprintf("The URL is %d bytes long, at most %d are allowed", len(r.RequestURI), limit)}
	}
	size := 0
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(": ") + len(value) + len("\r\n")
		}
	}
	if size > limit {
		return &actors.Error{Code: headTooLarge, Reason: fmt.Sprintf("The headers are %d bytes long, at most %d are allowed", size, limit)}
	}
	return nil
}
