package httpapi

import (
	"errors"
	"os"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

const (
	// tellTimeout is how long the kernel may take to accept the last frames for
	// a stuck client: it accepts them at once or not at all.
	tellTimeout = 50 * time.Millisecond

	// maxSendBuffer bounds a socket's send buffer, the last frames included.
	maxSendBuffer = 1 << 20
)

// tellStuckClient writes the rest of a cut frame and the error frame to a client
// whose socket is full, and reports whether the kernel has taken them. The client
// finds them behind what it has not read yet, when it wakes up. What waited
// behind the cut frame is dropped: it is unacknowledged, and the error says so.
//
//	▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ rest of the frame │ event: error …
//	the client's buffer and ours, full      └ in the room that is made for it
//
// Room is made with SO_SNDBUF: the same bound that lets a stuck client hold
// little memory is raised by what its last frames need. Behind TLS this is not
// possible, since a record was cut.
func (c *hijacked) tellStuckClient(rest []byte, why *actors.Error) bool {
	tcp, ok := c.conn.(interface{ SetWriteBuffer(bytes int) error })
	if !ok {
		return false
	}
	last := append(rest, errorFrame(why)...)
	// The kernel counts its bookkeeping too, and may already hold more than its
	// bound: only trying shows how much room is needed.
	room := c.outlets.sockets.sendBuffer + 2*len(last) + 16<<10
	for ; len(last) > 0; room *= 2 {
		if room > maxSendBuffer || tcp.SetWriteBuffer(room) != nil {
			return false
		}
		c.conn.SetWriteDeadline(time.Now().Add(tellTimeout))
		n, err := c.conn.Write(last)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		last = last[n:]
	}
	keepUntilRead(c.conn)
	return true
}
