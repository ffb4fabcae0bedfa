package amqp

import (
	"bytes"
	"encoding/binary"
	"net"
	"slices"
)

// closeFilter drops what is written on a channel after its close-ok, until it is opened again.
//
// The client library checks that a channel is open, and then waits for its turn to write. Where the
// broker closes the channel in between, the library writes close-ok first and the other frame after
// it, on a channel that is no more. RabbitMQ answers that by ending the link (504, "expected
// 'channel.open'"), with all other channels. Nothing waits for what is dropped: the end of a channel
// ends its calls.
//
// Write must not be called concurrently; the library does not.
type closeFilter struct {
	net.Conn
	closed map[uint16]bool // channels whose close-ok was written
	rest   int             // bytes of the current frame that are still to be written
	drops  bool            // the current frame is dropped
	head   []byte          // of a frame, as far as it was written, where that does not tell what it is
}

const (
	methodType = 1
	methodHead = frameHead + 4 // and class, method

	channelOpen    = 20<<16 | 10
	channelCloseOK = 20<<16 | 41
)

func newCloseFilter(socket net.Conn) *closeFilter {
	return &closeFilter{Conn: socket, closed: map[uint16]bool{}}
}

// Write writes p, or what of it is not dropped, and returns the length of p. The last bytes of p are
// kept for the next Write where a frame begins with them and they are too few to tell its kind.
func (f *closeFilter) Write(p []byte) (int, error) {
	n := len(p)
	if len(f.head) > 0 {
		p, f.head = append(f.head, p...), nil
	}
	if p = f.sift(p); len(p) > 0 {
		if _, err := f.Conn.Write(p); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// sift returns p without what is dropped. It does not change p.
func (f *closeFilter) sift(p []byte) []byte {
	for at := 0; at < len(p); {
		if f.rest == 0 && !f.next(p[at:]) {
			f.head = bytes.Clone(p[at:])
			return p[:at]
		}
		n := min(f.rest, len(p)-at)
		f.rest -= n
		if f.drops {
			p = slices.Concat(p[:at], p[at+n:])
		} else {
			at += n
		}
	}
	return p
}

// next notes the frame that begins, and what becomes of its channel. It reports whether there are
// enough bytes of it.
func (f *closeFilter) next(frame []byte) bool {
	f.drops = false
	switch {
	case len(frame) < frameHead, frame[0] == methodType && len(frame) < methodHead:
		return false
	case frame[0] == 'A': // no frame but the protocol's name and version
		f.rest = len("AMQP") + 4
		return true
	}
	channel := binary.BigEndian.Uint16(frame[1:])
	f.rest = frameHead + int(binary.BigEndian.Uint32(frame[3:])) + 1
	method := uint32(0)
	if frame[0] == methodType {
		method = binary.BigEndian.Uint32(frame[frameHead:])
	}
	if method == channelOpen {
		delete(f.closed, channel)
	}
	f.drops = f.closed[channel]
	if method == channelCloseOK {
		f.closed[channel] = true
	}
	return true
}
