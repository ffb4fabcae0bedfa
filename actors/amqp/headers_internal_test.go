package amqp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"testing/iotest"
)

// conn is a connection that can only be read.
type conn struct {
	net.Conn
	io.Reader
}

func (c conn) Read(p []byte) (int, error) { return c.Reader.Read(p) }

func filtered(t *testing.T, in io.Reader) []byte {
	t.Helper()
	out, err := io.ReadAll(newHeaderFilter(conn{Reader: in}))
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Fatal(err)
	}
	return out
}

func frame(kind byte, payload ...byte) []byte {
	f := binary.BigEndian.AppendUint32([]byte{kind, 0, 7}, uint32(len(payload)))
	return append(append(f, payload...), frameEnd)
}

// header is a header frame of a body of 5 bytes.
func header(flags uint16, properties ...byte) []byte {
	start := []byte{0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 5}
	return frame(headerType, append(binary.BigEndian.AppendUint16(start, flags), properties...)...)
}

func long(b ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, uint32(len(b))), b...)
}

// Only header frames are rewritten: what is kept of them is the body's size and
// the CC list, as bytes.
func TestOnlyTheCCListOfAHeaderIsKept(t *testing.T) {
	list := slices.Concat([]byte{'S'}, long('a'), []byte{'I', 0, 0, 0, 1, 'S'}, long('b', 'c'))
	cc := slices.Concat([]byte{2, 'C', 'C', 'A'}, long(list...))
	other := slices.Concat([]byte{1, 'x', 'F'}, long(slices.Concat([]byte{1, 'y', 'V'})...))
	kept := header(flagHeaders, long(slices.Concat([]byte{2, 'C', 'C', 'x'}, long(list...))...)...)
	none := header(0)
	for name, c := range map[string]struct{ in, want []byte }{
		"CC alone":           {header(flagHeaders, long(cc...)...), kept},
		"CC after a table":   {header(flagHeaders, long(slices.Concat(other, cc)...)...), kept},
		"the first of two":   {header(flagHeaders, long(slices.Concat(cc, []byte{2, 'C', 'C', 'A'}, long())...)...), kept},
		"after a type":       {header(flagContentType|flagHeaders|1<<12, slices.Concat([]byte{3, 'a', '/', 'b'}, long(cc...), []byte{2})...), kept},
		"no CC":              {header(flagHeaders, long(other...)...), none},
		"no headers":         {header(flagContentType, 3, 'a', '/', 'b'), none},
		"CC is no list":      {header(flagHeaders, long(slices.Concat([]byte{2, 'C', 'C', 'S'}, long('a'))...)...), none},
		"a length too long":  {header(flagHeaders, 0, 0, 1, 0, 2), none},
		"an unknown type":    {header(flagHeaders, long(slices.Concat([]byte{1, 'x', '?'}, cc)...)...), none},
		"more flags":         {header(flagHeaders|flagMore, long(cc...)...), none},
		"a method":           {frame(1, 0, 60, 0, 60, 1, 2, 3), frame(1, 0, 60, 0, 60, 1, 2, 3)},
		"a body":             {frame(3, []byte("hello")...), frame(3, []byte("hello")...)},
		"a heartbeat":        {frame(8), frame(8)},
		"a header too short": {frame(headerType, 0, 60), frame(headerType, 0, 60)},
		"another protocol":   {[]byte("AMQP\x00\x01\x00\x00"), []byte("AMQP\x00\x01\x00\x00")},
	} {
		before, after := frame(3, 1, 2, 3), frame(8)
		if name == "another protocol" {
			before, after = nil, nil // it is all that comes
		}
		in, want := slices.Concat(before, c.in, after), slices.Concat(before, c.want, after)
		if got := filtered(t, bytes.NewReader(in)); !bytes.Equal(got, want) {
			t.Errorf("%s:\n got %q\nwant %q", name, got, want)
		}
		if got := filtered(t, iotest.OneByteReader(bytes.NewReader(in))); !bytes.Equal(got, want) {
			t.Errorf("%s, byte by byte:\n got %q\nwant %q", name, got, want)
		}
	}
	if got := carbonCopies(list); !slices.Equal(got, []string{"a", "bc"}) {
		t.Errorf("got %q", got)
	}
}

// wideCC is a CC list with this many routes, in its encoding and in words.
func wideCC(routes int) (list []byte, want []string) {
	for i := range routes {
		want = append(want, fmt.Sprint("route.of.some.length.", i))
		list = append(append(list, 'S'), long([]byte(want[i])...)...)
	}
	return list, want
}

// A header frame may be wider than any frame that was agreed on: RabbitMQ passes on what came by
// other protocols. What leaves the filter fits into the smallest frame that can be agreed on, and
// the message with its routes is whole.
func TestAHeaderWiderThanAFrameIsCutToSize(t *testing.T) {
	wide, routes := wideCC(20_000)
	noise := slices.Concat([]byte{1, 'x', 'S'}, long(bytes.Repeat([]byte{'x'}, 200<<10)...))
	for name, c := range map[string]struct {
		table []byte
		want  []string
	}{
		"a wide table":           {noise, nil},
		"CC behind a wide field": {slices.Concat(noise, []byte{2, 'C', 'C', 'A'}, long('S', 0, 0, 0, 1, 'a')), []string{"a"}},
		"a wide CC":              {slices.Concat([]byte{2, 'C', 'C', 'A'}, long(wide...)), routes},
		"too wide by far":        {slices.Concat([]byte{1, 'x', 'S'}, long(make([]byte, headerMax)...)), nil},
	} {
		in := slices.Concat(header(flagHeaders, long(c.table...)...), frame(bodyType, []byte("hello")...), frame(8))
		for _, reader := range []io.Reader{bytes.NewReader(in), iotest.HalfReader(bytes.NewReader(in))} {
			headers, body, rest := received(t, filtered(t, reader))
			list, body := separate(headers, body)
			if got := carbonCopies(list); !slices.Equal(got, c.want) {
				t.Errorf("%s: got %d routes, want %d", name, len(got), len(c.want))
			}
			if string(body) != "hello" || !bytes.Equal(rest, frame(8)) {
				t.Errorf("%s: the body is %.50q, then comes %.50q", name, body, rest)
			}
		}
	}
}

// received reads one message as the client library does.
func received(t *testing.T, in []byte) (headers any, body, rest []byte) {
	t.Helper()
	next := func(kind byte) []byte {
		size := int(binary.BigEndian.Uint32(in[3:]))
		if in[0] != kind || frameHead+size+1 > frameMin || in[frameHead+size] != frameEnd {
			t.Fatalf("a frame of type %d and %d bytes", in[0], size)
		}
		payload := in[frameHead : frameHead+size]
		in = in[frameHead+size+1:]
		return payload
	}
	head := next(headerType)
	r := fieldReader{rest: head[headerStart-2:]}
	if r.uint16() == flagHeaders {
		table := fieldReader{rest: r.longString()}
		table.shortString()
		switch kind, value := table.field(); kind {
		case 'x':
			headers = value
		case 'I':
			headers = int32(binary.BigEndian.Uint32(value))
		}
	}
	for size := int(binary.BigEndian.Uint64(head[4:])); len(body) < size; {
		body = append(body, next(bodyType)...)
	}
	return headers, body, in
}

// No bytes make the filter panic, hang, or touch what is no message header.
func FuzzHeaderFilter(f *testing.F) {
	f.Add(slices.Concat(frame(3, 1, 2), header(flagHeaders, long(2, 'C', 'C', 'A', 0, 0, 0, 0)...), frame(8)))
	f.Add(header(flagContentType|flagContentEncoding|flagHeaders, 1, 'a', 0, 0, 0, 0, 9, 'x'))
	f.Add([]byte("AMQP\x00\x00\x09\x01"))
	f.Fuzz(func(t *testing.T, in []byte) {
		out := filtered(t, bytes.NewReader(in))
		// The head of a frame that never came whole is all that may be missing.
		if untouched := bytes.HasPrefix(in, out) && len(in)-len(out) < frameHead; !untouched && !bytes.Contains(in, []byte{headerType}) {
			t.Errorf("%q became %q", in, out)
		}
		carbonCopies(in)
		findCC(in)
	})
}
