package httpapi

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/bindings"
)

// connect serves an event stream. The order of its checks is the contract's:
//
//  1. 204 for a client that reconnects by itself; 429 where it does so too often
//  2. 503 or 429 where there is no room: the service is draining or full, or
//     this address has its share
//  3. 414 or 431 for a head that is too large
//  4. 200 and an error event for bindings that are wrong, and for what the host
//     does not admit
//
// Admission comes before syntax, so that a flood of bad requests is held to the
// same limits as one of good ones, and so that a client which is told that its
// request is wrong knows that mending it will help. The checks of 3 and 4 touch
// no actor and are made first; a request that fails them asks for admission
// before it is told so (refuseUnlessFull).
func (h *Handler) connect(w http.ResponseWriter, r *http.Request) {
	if reconnects(r) {
		h.stop(w, r)
		return
	}
	if r.Method == http.MethodHead {
		streamHeaders(w.Header())
		w.WriteHeader(http.StatusOK)
		return
	}
	address := h.clientAddress(r)
	if tooLarge := h.tooLarge(r); tooLarge != nil {
		h.refuseUnlessFull(w, r, address, tooLarge)
		return
	}
	list, err := bindings.Parse(r.URL.RawQuery)
	if err != nil {
		h.refuseUnlessFull(w, r, address, &actors.Error{Code: actors.InvalidBindings, Reason: err.Error()})
		return
	}
	if h.outlets.registry.shuttingDown() {
		h.refuse(w, r, &actors.Error{Code: actors.Draining, Reason: errShuttingDown.Reason})
		return
	}
	request := actors.Request{Bindings: list, Address: address}
	access, refusal := h.admit(r, &request)
	switch {
	case refusal == nil:
		h.stream(w, r, access, request)
	case r.Context().Err() == nil: // else the client has left
		h.refuseUnlessFull(w, r, address, refusal)
	}
}

// stream asks the system for a stream and serves it.
func (h *Handler) stream(w http.ResponseWriter, r *http.Request, a access, request actors.Request) {
	stream, err := h.open(a, request)
	if err != nil {
		h.notOpened(w, r, request.Address, err)
		return
	}
	if err := h.outlets.serve(w, r, stream); err != nil {
		h.log.ErrorContext(r.Context(), "no stream can be served", "error", err)
		h.refuse(w, r, &actors.Error{Code: actors.InternalError, Reason: "A defect of this service"})
	}
}

// open asks the system for a stream, which releases the access when it is closed.
func (h *Handler) open(a access, request actors.Request) (stream, error) {
	opened, err := h.system.Connect(a.context, request)
	switch {
	case a.release == nil && err == nil:
		return opened, nil
	case err == nil:
		return held{opened, a.release}, nil
	case a.release != nil:
		a.release()
	}
	return nil, err
}

// notOpened answers a request that got no stream.
func (h *Handler) notOpened(w http.ResponseWriter, r *http.Request, address string, err error) {
	var why *actors.Error
	switch {
	case r.Context().Err() != nil: // the client has left
	case errors.As(err, &why) && hasStatus(why.Code):
		h.refuse(w, r, why)
	case why != nil && why.Code != actors.InternalError: // the bindings, which Connect checks before admission; access that has ended
		h.refuseUnlessFull(w, r, address, why)
	default:
		h.log.ErrorContext(r.Context(), "connect", "error", err)
		writeErrorStream(w, errDefect)
	}
}

// refuseUnlessFull answers what is wrong with a request, unless the service has
// no room for it anyway: that is answered then.
func (h *Handler) refuseUnlessFull(w http.ResponseWriter, r *http.Request, address string, why *actors.Error) {
	var full *actors.Error
	if err := h.system.Admissible(r.Context(), address); errors.As(err, &full) && hasStatus(full.Code) {
		why = full
	}
	if hasStatus(why.Code) {
		h.refuse(w, r, why)
		return
	}
	h.metrics.refused(why.Code)
	writeErrorStream(w, why)
}

// writeErrorStream answers with a stream of one error event.
func writeErrorStream(w http.ResponseWriter, why *actors.Error) {
	streamHeaders(w.Header())
	w.WriteHeader(http.StatusOK)
	w.Write(errorFrame(why))
}

// reconnects reports whether a client has come back by itself after a stream's
// end: the request has a Last-Event-ID header, or the parameter lastEventId, as
// polyfills send it.
func reconnects(r *http.Request) bool {
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		key, value, _ := strings.Cut(part, "=")
		if key, err := url.QueryUnescape(key); err == nil && key == "lastEventId" && value != "" {
			return true
		}
	}
	return r.Header.Get("Last-Event-ID") != ""
}

// stop answers 204 to a client that reconnects by itself: an EventSource stops for good at a 204.
// Some libraries do not, and ask again and again: what one address asks counts as its connects do.
func (h *Handler) stop(w http.ResponseWriter, r *http.Request) {
	h.metrics.stops.Inc()
	var tooMany *actors.Error
	if err := h.system.Reconnect(h.clientAddress(r)); errors.As(err, &tooMany) {
		h.refuse(w, r, tooMany)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// tooLarge returns what is too large about a request's head, nil if nothing is.
// net/http refuses what is beyond twice the limit by itself, without our headers.
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
