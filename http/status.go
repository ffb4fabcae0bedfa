package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// The codes of answers that no actor gives.
const (
	notFound         actors.Code = "ResourceNotFound"
	methodNotAllowed actors.Code = "MethodNotAllowed"
	originForbidden  actors.Code = "OriginForbidden"
	urlTooLong       actors.Code = "URITooLong"
	headTooLarge     actors.Code = "HeadTooLarge"
	sslRequired      actors.Code = "SSLRequired"
)

// refusals are the codes that are told as a status, before a stream's head.
// Every other code is told as an error event: a browser's EventSource can read
// neither the status nor the body of anything but a 200.
var refusals = map[actors.Code]struct {
	status     int
	retryAfter time.Duration // 0: no use
}{
	actors.Draining:        {http.StatusServiceUnavailable, 5 * time.Second},
	actors.AtCapacity:      {http.StatusServiceUnavailable, 10 * time.Second},
	actors.TooManyStreams:  {http.StatusTooManyRequests, 10 * time.Second},
	actors.TooManyConnects: {http.StatusTooManyRequests, time.Second},
	urlTooLong:             {http.StatusRequestURITooLong, 0},
	headTooLarge:           {http.StatusRequestHeaderFieldsTooLarge, 0},
	originForbidden:        {http.StatusForbidden, 0},
	sslRequired:            {http.StatusForbidden, 0},
	notFound:               {http.StatusNotFound, 0},
	methodNotAllowed:       {http.StatusMethodNotAllowed, 0},
}

// refuse answers with the code's status and the body of Taskcluster's services.
func (h *Handler) refuse(w http.ResponseWriter, r *http.Request, err *actors.Error) {
	status := http.StatusInternalServerError
	if refusal, ok := refusals[err.Code]; ok {
		status = refusal.status
		if refusal.retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(refusal.retryAfter.Seconds())))
		}
	}
	h.metrics.refused(err.Code)
	writeError(w, r, status, err.Code, err.Reason)
}

// writeError writes the body of Taskcluster's services.
func writeError(w http.ResponseWriter, r *http.Request, status int, code actors.Code, reason string) {
	writeJSON(w, status, map[string]any{
		"code":    code,
		"message": reason,
		"requestInfo": map[string]any{
			"method":  apiMethod(r),
			"params":  struct{}{}, // no route has any
			"payload": struct{}{}, // and no request a body
			"time":    time.Now().UTC().Format(timeFormat),
		},
	})
}

// apiMethod names the method of the API, as the reference does; what is none
// goes by its HTTP method.
func apiMethod(r *http.Request) string {
	switch path := trimSlash(r.URL.Path); {
	case strings.HasSuffix(path, "/v1/connect"):
		return "connect"
	case strings.HasSuffix(path, "/v1/ping"):
		return "ping"
	}
	return r.Method
}

func (h *Handler) notFound(w http.ResponseWriter, r *http.Request) {
	h.refuse(w, r, &actors.Error{Code: notFound, Reason: "There is nothing at this path"})
}

func (h *Handler) methodNotAllowed(w http.ResponseWriter, r *http.Request) {
	h.refuse(w, r, &actors.Error{Code: methodNotAllowed, Reason: "This path answers " + w.Header().Get("Allow")})
}

// options answers OPTIONS; the CORS headers are there already.
func options(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Allow", corsMethods)
	w.WriteHeader(http.StatusNoContent)
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(oneLineJSON(body), '\n'))
}
