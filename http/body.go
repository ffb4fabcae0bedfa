package httpapi

import (
	"net/http"
	"time"
)

// bodyTimeout is how long a request's body may take to arrive. No request here
// needs one, and none is read; but net/http reads it before it answers, and before
// it takes the connection's next request, for as long as its client likes.
const bodyTimeout = 5 * time.Second

// boundBody bounds the time that a request's body may take, where it has one. The
// answer does not wait for it. The next request of the connection has deadlines of
// its own, a hijacked connection none.
func boundBody(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength == 0 {
		return
	}
	control := http.NewResponseController(w)
	_ = control.EnableFullDuplex() // HTTP/2 has it always, a recorder reads no body
	_ = control.SetReadDeadline(time.Now().Add(bodyTimeout))
}
