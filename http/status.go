package httpapi

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// The codes of answers that no actor sends.
const (
	notFound         actors.Code = "ResourceNotFound"
	methodNotAllowed actors.Code = "MethodNotAllowed"
	originForbidden  actors.Code = "OriginForbidden"
	urlTooLong       actors.Code = "URITooLong"
	headTooLarge     actors.Code = "HeadTooLarge"
	sslRequired      actors.Code = "SSLRequired"
	hostForbidden    actors.Code = "HostForbidden"
	operatorsOnly    actors.Code = "AuthenticationRequired"
)

// statuses are the codes that are answered with a status, before a stream's
// head. Every other code is told as an error event: a browser's EventSource can
// read neither the status nor the body of anything but a 200.
var statuses = map[actors.Code]struct {
	status     int
	retryAfter time.Duration // 0: trying again does not help
}{
	actors.Draining:        {http.StatusServiceUnavailable, 5 * time.Second},
	actors.AtCapacity:      {http.StatusServiceUnavailable, 10 * time.Second},
	actors.TooManyStreams:  {http.StatusTooManyRequests, 10 * time.Second},
	actors.TooManyConnects: {http.StatusTooManyRequests, time.Second},
	urlTooLong:             {http.StatusRequestURITooLong, 0},
	headTooLarge:           {http.StatusRequestHeaderFieldsTooLarge, 0},
	originForbidden:        {http.StatusForbidden, 0},
	sslRequired:            {http.StatusForbidden, 0},
	hostForbidden:          {http.StatusForbidden, 0},
	operatorsOnly:          {http.StatusUnauthorized, 0},
	notFound:               {http.StatusNotFound, 0},
	methodNotAllowed:       {http.StatusMethodNotAllowed, 0},
}

// hasStatus reports whether a code is answered with a status.
func hasStatus(code actors.Code) bool {
	_, ok := statuses[code]
	return ok
}

// writeRefusal answers with the code's status and the body of Taskcluster's
// services; with 500 where the code has no status.
func writeRefusal(w http.ResponseWriter, r *http.Request, err *actors.Error) {
	status := http.StatusInternalServerError
	if s, ok := statuses[err.Code]; ok {
		status = s.status
		if s.retryAfter > 0 {
			w.Header().Set("Retry-After", strconv.Itoa(int(s.retryAfter.Seconds())))
		}
	}
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

// apiMethod returns the name of the API's method, as the reference has it; for
// what is none, the HTTP method.
func apiMethod(r *http.Request) string {
	switch path := strings.TrimRight(r.URL.Path, "/"); {
	case strings.HasSuffix(path, "/v1/connect"):
		return "connect"
	case strings.HasSuffix(path, "/v1/ping"):
		return "ping"
	}
	return r.Method
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	w.Write(append(oneLineJSON(body), '\n'))
}
