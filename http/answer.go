package httpapi

import "net/http"

// answer is a ResponseWriter that remembers the status.
type answer struct {
	http.ResponseWriter
	status int // 0: nothing has been answered yet
}

// WriteHeader remembers the status.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write remembers that a body without a status is a 200.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return a.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// noteStatus records in an answer the status that went out over a hijacked
// connection.
func noteStatus(w http.ResponseWriter, status int) {
	if a, ok := w.(*answer); ok {
		a.status = status
	}
}
