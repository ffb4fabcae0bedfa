package amqp

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
)

// frameMax is the largest frame we agree to, RabbitMQ's own proposal.
const frameMax = 131072

// headerFilter reads a broker's frames and takes out of every message header
// what nobody asks for: all properties but the CC list, which it leaves
// undecoded, as bytes.
//
// The client library decodes a header table to the last leaf and ends the whole
// link when it is deeper than 32 levels or has a list of more than 8192
// entries. RabbitMQ lets any publisher send such a table, so that one message
// would cut every stream of the link. It also is most of the work of reading a
// delivery.
//
//	frame   type(1) channel(2) size(4) payload(size) 0xCE
//	header  class(2) weight(2) body size(8) flags(2) properties…
type headerFilter struct {
	net.Conn
	in    *bufio.Reader
	pass  int    // bytes of the current frame that go through as they are
	frame []byte // the last header frame, as it came
	out   []byte // the last header frame, rewritten: what of it was not read yet
	spare []byte // the memory of out
}

const (
	frameHead   = 7 // type, channel, size
	frameEnd    = 0xCE
	headerType  = 2
	headerStart = 14 // class, weight, body size, flags
)

func newHeaderFilter(socket net.Conn) *headerFilter {
	return &headerFilter{Conn: socket, in: bufio.NewReaderSize(socket, 32<<10)}
}

// Read fills p with what is there already, and waits for the first byte only.
func (f *headerFilter) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if n > 0 && len(f.out) == 0 && f.in.Buffered() == 0 {
			return n, nil
		}
		var k int
		k, err = f.step(p[n:])
		n += k
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// step reads a part of one frame.
func (f *headerFilter) step(p []byte) (int, error) {
	if len(f.out) == 0 && f.pass == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	if len(f.out) > 0 {
		n := copy(p, f.out)
		f.out = f.out[n:]
		return n, nil
	}
	n, err := f.in.Read(p[:min(len(p), f.pass)])
	f.pass -= n
	return n, err
}

// next looks at the head of a frame and, if it is a message header, rewrites it.
func (f *headerFilter) next() error {
	head, err := f.in.Peek(frameHead)
	if err != nil {
		return err
	}
	size := int(binary.BigEndian.Uint32(head[3:]))
	whole := frameHead + size + 1
	if head[0] != headerType || size < headerStart || whole > frameMax {
		f.pass = whole // whether it is allowed, the library knows
		return nil
	}
	if cap(f.frame) < whole {
		f.frame = make([]byte, whole)
	}
	f.frame = f.frame[:whole]
	if _, err := io.ReadFull(f.in, f.frame); err != nil {
		return err
	}
	f.spare = rewriteHeader(f.spare[:0], f.frame)
	f.out = f.spare
	return nil
}

// rewriteHeader appends to out the header frame with no property but CC, as
// bytes:  headers = {"CC": x<the list's encoding>}.
func rewriteHeader(out, frame []byte) []byte {
	payload := frame[frameHead : len(frame)-1]
	out = append(out, frame[:frameHead]...)
	out = append(out, payload[:headerStart-2]...)
	list, ok := findCC(payload[headerStart-2:])
	if ok {
		out = binary.BigEndian.AppendUint16(out, flagHeaders)
		out = binary.BigEndian.AppendUint32(out, uint32(1+2+1+4+len(list))) // of the table
		out = append(out, 2, 'C', 'C', 'x')
		out = binary.BigEndian.AppendUint32(out, uint32(len(list)))
		out = append(out, list...)
	} else {
		out = append(out, 0, 0)
	}
	binary.BigEndian.PutUint32(out[3:], uint32(len(out)-frameHead))
	return append(out, frame[len(frame)-1])
}

// Property flags of the class basic, as far as they come before the headers.
const (
	flagContentType     = 1 << 15
	flagContentEncoding = 1 << 14
	flagHeaders         = 1 << 13
	flagMore            = 1 << 0 // another word of flags follows: nobody sends that
)

// findCC finds the CC list in flags and properties, and gives its encoding.
func findCC(properties []byte) (list []byte, ok bool) {
	r := fieldReader{rest: properties}
	flags := r.uint16()
	if flags&flagHeaders == 0 || flags&flagMore != 0 {
		return nil, false
	}
	if flags&flagContentType != 0 {
		r.shortString()
	}
	if flags&flagContentEncoding != 0 {
		r.shortString()
	}
	table := fieldReader{rest: r.longString()}
	for !r.bad && !table.bad && len(table.rest) > 0 {
		key := table.shortString()
		kind, value := table.field()
		if string(key) == "CC" {
			return value, kind == 'A' && !table.bad
		}
	}
	return nil, false
}
