package sse

import (
	"bytes"
	"fmt"
)

var byteOrderMark = []byte("\xEF\xBB\xBF")

// readLine returns the next complete line without its end; it is valid until the
// next call. A line that the stream's end cuts off is not returned.
func (d *Decoder) readLine() ([]byte, error) {
	d.line = d.line[:0]
	for {
		part, err := d.buffered()
		if err != nil {
			return nil, err
		}
		part, ended := untilLineEnd(part)
		if len(d.line)+len(part) > d.max {
			return nil, fmt.Errorf("%w: a line has more than %d bytes", ErrTooLong, d.max)
		}
		d.line = append(d.line, part...)
		d.r.Discard(len(part))
		if ended {
			d.endLine()
			return d.withoutMark(), nil
		}
	}
}

// buffered returns what has arrived and is unread, at least one byte; the line
// feed of a CRLF whose carriage return has ended a line is skipped.
func (d *Decoder) buffered() ([]byte, error) {
	for {
		if _, err := d.r.Peek(1); err != nil {
			return nil, err
		}
		arrived, _ := d.r.Peek(d.r.Buffered())
		if !d.skipLF {
			return arrived, nil
		}
		d.skipLF = false
		if arrived[0] != '\n' {
			return arrived, nil
		}
		d.r.Discard(1)
	}
}

// endLine reads the byte that ended a line.
func (d *Decoder) endLine() {
	end, err := d.r.ReadByte()
	d.skipLF = err == nil && end == '\r'
}

// withoutMark returns the line that was read, without a byte order mark where it
// is the stream's first.
func (d *Decoder) withoutMark() []byte {
	if d.begun {
		return d.line
	}
	d.begun = true
	return bytes.TrimPrefix(d.line, byteOrderMark)
}

// untilLineEnd returns what stands before the first line end, all where there is
// none; ended reports whether there is one.
func untilLineEnd(b []byte) (part []byte, ended bool) {
	if at := bytes.IndexByte(b, '\n'); at >= 0 {
		b, ended = b[:at], true
	}
	if at := bytes.IndexByte(b, '\r'); at >= 0 {
		b, ended = b[:at], true
	}
	return b, ended
}
