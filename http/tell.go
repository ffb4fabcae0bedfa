package httpapi

import (
	"errors"
	"os"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

const (
	// tellWithin is how long the kernel may take to accept the last words to
	// a stuck client: it accepts them at once or not at all.
	tellWithin = 50 * time.Millisecond

	// mostTold bounds a socket's send buffer, the last words included.
	mostTold = 1 << 20
)

// tell writes the rest of a cut frame and the error frame to a client whose
// socket is full. The kernel holds them, and the client finds them behind what
// it has not read yet, whenever it wakes up. What waited behind the cut frame
// is dropped: it is unacknowledged, and the error says so.
//
//	▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒ rest of the frame │ event: error …
//	the client's buffer and ours, full      └ in the room that is made for it
//
// Making room is SO_SNDBUF: the same bound that lets a stuck client hold
// little memory is raised by what its last words need. Behind TLS this is not
// possible, since a record was cut.
func (c *hijacked) tell(rest []byte, why *actors.Error) bool {
	tcp, ok := c.conn.(interface{ SetWriteBuffer(bytes int) error })
	if !ok {
		return false
	}
	words := append(rest, errorFrame(why)...)
	// The kernel counts its bookkeeping too, and may already hold more than its
	// bound: how much room is needed shows only in trying.
	room := c.handler.options.WriteBuffer + 2*len(words) + 16<<10
	for ; len(words) > 0; room *= 2 {
		if room > mostTold || tcp.SetWriteBuffer(room) != nil {
			return false
		}
		c.conn.SetWriteDeadline(time.Now().Add(tellWithin))
		n, err := c.conn.Write(words)
		if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
			return false
		}
		words = words[n:]
	}
	keepUntilRead(c.conn)
	return true
}
