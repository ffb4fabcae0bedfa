package amqp

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"slices"
)

const (
	frameMax = 131072 // the largest frame that we agree to, RabbitMQ's own proposal
	frameMin = 4096   // what a broker must agree to at the least

	// headerMax is the widest header that is read for its CC list; from a wider one nothing is
	// kept.
	headerMax = 16 << 20
)

// headerFilter reads a broker's frames and takes out of every message header what is not needed:
// all properties but the CC list, which it leaves undecoded, as bytes.
//
// The client library decodes a header table to the last leaf and ends the whole link when it is
// deeper than 32 levels, has a list of more than 8192 entries, or is wider than the frames that
// were agreed on. RabbitMQ passes such tables on: any publisher can send the first two, and the
// third through the management plugin, STOMP or a shovel. One message would cut every stream of the
// link. Decoding is also most of the work of reading a delivery.
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
	bodyType    = 3
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
	if head[0] != headerType || size < headerStart {
		f.pass = whole // the library knows whether it is allowed
		return nil
	}
	if cap(f.spare) > frameMax {
		f.spare = nil // of a message that was an exception
	}
	if whole > headerMax {
		err = f.drop(size)
	} else {
		err = f.rewrite(whole)
	}
	if err == nil {
		f.out = f.spare
	}
	return err
}

func (f *headerFilter) rewrite(whole int) error {
	if cap(f.frame) < whole {
		f.frame = make([]byte, whole)
	}
	f.frame = f.frame[:whole]
	if _, err := io.ReadFull(f.in, f.frame); err != nil {
		return err
	}
	f.spare = rewriteHeader(f.spare[:0], f.frame)
	if whole > frameMax {
		f.frame = nil
	}
	return nil
}

// drop reads a header without keeping its properties.
func (f *headerFilter) drop(size int) error {
	start := make([]byte, frameHead+headerStart-2, frameHead+headerStart+1)
	if _, err := io.ReadFull(f.in, start); err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, f.in, int64(size-headerStart+2+1)); err != nil {
		return err
	}
	f.spare = rewriteHeader(f.spare[:0], append(start, 0, 0, frameEnd))
	return nil
}

// rewriteHeader appends to out the header frame with no property but CC, as bytes:
//
//	headers = {"CC": x<the list's encoding>}
//
// A list that may not fit into a frame is put before the message's body, in body frames, and the
// header states its length:
//
//	headers = {"CC": I<length>}
//
// separate takes the two apart again.
func rewriteHeader(out, frame []byte) []byte {
	payload := frame[frameHead : len(frame)-1]
	list, ok := findCC(payload[headerStart-2:])
	fits := frameHead+headerStart+ccHead+len(list)+1 <= frameMin
	out = append(out, frame[:frameHead]...)
	start := len(out)
	out = append(out, payload[:headerStart-2]...)
	switch {
	case !ok:
		out = append(out, 0, 0) // no flags
	case fits:
		out = append(appendCC(out, 'x', len(list)), list...)
	default:
		out = appendCC(out, 'I', len(list))
		size := out[start+4:]
		binary.BigEndian.PutUint64(size, binary.BigEndian.Uint64(size)+uint64(len(list)))
	}
	binary.BigEndian.PutUint32(out[start-4:], uint32(len(out)-start))
	out = append(out, frameEnd)
	if ok && !fits {
		out = appendBody(out, frame[1:3], list)
	}
	return out
}

const ccHead = 4 + 1 + 2 + 1 + 4 // of the table: length, name's length, name, type, length or number

// appendCC appends flags and a table with CC alone: a number n of the type I, or the head of n
// bytes of the type x.
func appendCC(out []byte, kind byte, n int) []byte {
	size := ccHead - 4
	if kind == 'x' {
		size += n
	}
	out = binary.BigEndian.AppendUint16(out, flagHeaders)
	out = binary.BigEndian.AppendUint32(out, uint32(size))
	out = append(out, 2, 'C', 'C', kind)
	return binary.BigEndian.AppendUint32(out, uint32(n))
}

// appendBody appends body frames of the channel.
func appendBody(out, channel, body []byte) []byte {
	for part := range slices.Chunk(body, frameMin-frameHead-1) {
		out = append(append(out, bodyType), channel...)
		out = binary.BigEndian.AppendUint32(out, uint32(len(part)))
		out = append(append(out, part...), frameEnd)
	}
	return out
}

// separate returns the encoded CC list and the body of a message, from its header CC and its body
// as the filter has left them.
func separate(cc any, body []byte) (list, rest []byte) {
	switch cc := cc.(type) {
	case []byte:
		return cc, body
	case int32:
		if n := int(cc); 0 <= n && n <= len(body) {
			return body[:n], body[n:]
		}
	}
	return nil, body
}

// Property flags of the class basic, as far as they come before the headers.
const (
	flagContentType     = 1 << 15
	flagContentEncoding = 1 << 14
	flagHeaders         = 1 << 13
	flagMore            = 1 << 0 // another word of flags follows: no broker sends that
)

// findCC returns the encoding of the CC list in flags and properties. It reports whether there is
// one.
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
