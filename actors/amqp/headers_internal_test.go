package amqp

import (
	"bytes"
	"encoding/binary"
	"errors"
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
