package amqp

import "encoding/binary"

// fieldReader steps through the encoding of a table or list (0-9-1, section 4.2.5, in RabbitMQ's
// reading) without decoding what is in it. Past the end, or at a type that it does not know, it
// turns bad and returns zeroes.
type fieldReader struct {
	rest []byte
	bad  bool
}

func (r *fieldReader) take(n int) []byte {
	if n < 0 || n > len(r.rest) {
		r.bad, r.rest = true, nil
		return nil
	}
	taken := r.rest[:n]
	r.rest = r.rest[n:]
	return taken
}

func (r *fieldReader) uint8() int {
	if b := r.take(1); b != nil {
		return int(b[0])
	}
	return 0
}

func (r *fieldReader) uint16() uint16 {
	if b := r.take(2); b != nil {
		return binary.BigEndian.Uint16(b)
	}
	return 0
}

func (r *fieldReader) shortString() []byte { return r.take(r.uint8()) }

func (r *fieldReader) longString() []byte {
	if b := r.take(4); b != nil {
		return r.take(int(binary.BigEndian.Uint32(b)))
	}
	return nil
}

// fieldSizes are the lengths of values that have a fixed one, by type.
var fieldSizes = map[int]int{
	't': 1, 'b': 1, 'B': 1, // bool, int8, uint8
	's': 2, 'u': 2, // int16, uint16
	'I': 4, 'i': 4, 'f': 4, // int32, uint32, float32
	'D': 5,                         // decimal: scale, value
	'l': 8, 'L': 8, 'd': 8, 'T': 8, // int64, float64, time
	'V': 0, // nothing
}

// field reads a type and returns the value's bytes, without its length.
func (r *fieldReader) field() (kind int, value []byte) {
	switch kind = r.uint8(); kind {
	case 'S', 'x', 'A', 'F': // string, bytes, list, table
		return kind, r.longString()
	}
	size, known := fieldSizes[kind]
	if !known {
		r.bad, r.rest = true, nil
		return kind, nil
	}
	return kind, r.take(size)
}

// carbonCopies returns the strings of an encoded CC list in order. A publisher may send anything
// there: what is no string is left out, and what follows an unknown type too.
func carbonCopies(list []byte) []string {
	var cc []string
	for r := (fieldReader{rest: list}); len(r.rest) > 0; {
		if kind, value := r.field(); kind == 'S' && !r.bad {
			cc = append(cc, string(value))
		}
	}
	return cc
}
