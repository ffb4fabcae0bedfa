package amqp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"testing"
)

// sent is a connection that can only be written.
type sent struct {
	net.Conn
	io.Writer
}

func (s sent) Write(p []byte) (int, error) { return s.Writer.Write(p) }

// on is a frame of a channel.
func on(channel uint16, kind byte, payload ...byte) []byte {
	f := frame(kind, payload...)
	binary.BigEndian.PutUint16(f[1:], channel)
	return f
}

// What is written on a channel after its close-ok is dropped until the channel is opened again,
// however the bytes are split; everything else goes through as it is.
func TestNothingIsWrittenOnAClosedChannel(t *testing.T) {
	greeting := []byte("AMQP\x00\x00\x09\x01")
	beat := on(0, 8)
	open, closeOK, closing := on(7, methodType, 0, 20, 0, 10, 0), on(7, methodType, 0, 20, 0, 41), on(7, methodType, 0, 20, 0, 40, 0, 200)
	bind, ack := on(7, methodType, 0, 50, 0, 20, 1, 2, 3), on(7, methodType, 0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 5, 1)
	publish := slices.Concat(on(7, methodType, 0, 60, 0, 40, 1), on(7, headerType, 0, 60, 9, 9), on(7, bodyType, bytes.Repeat([]byte("x"), 5000)...))
	other := on(8, methodType, 0, 50, 0, 20, 1, 2, 3)
	for name, c := range map[string]struct{ in, want [][]byte }{
		"an open channel":    {[][]byte{open, bind, ack, publish, closing, other, beat}, [][]byte{open, bind, ack, publish, closing, other, beat}},
		"a closed channel":   {[][]byte{open, closeOK, bind, other, ack, publish, beat, closing, closeOK}, [][]byte{open, closeOK, other, beat}},
		"one that is opened": {[][]byte{closeOK, ack, open, bind, publish, closing}, [][]byte{closeOK, open, bind, publish, closing}},
		"closed twice":       {[][]byte{closeOK, open, closeOK, ack}, [][]byte{closeOK, open, closeOK}},
	} {
		in, want := slices.Concat(greeting, slices.Concat(c.in...)), slices.Concat(greeting, slices.Concat(c.want...))
		before := bytes.Clone(in)
		for _, size := range []int{1, 2, 3, 7, 8, 11, 13, 4096, len(in)} {
			var out bytes.Buffer
			f := newCloseFilter(sent{Writer: &out})
			for part := range slices.Chunk(in, size) {
				if n, err := f.Write(part); n != len(part) || err != nil {
					t.Fatalf("%s: %d of %d bytes, %v", name, n, len(part), err)
				}
			}
			if !bytes.Equal(out.Bytes(), want) {
				t.Errorf("%s, %d bytes at once:\n got %.200q\nwant %.200q", name, size, out.Bytes(), want)
			}
		}
		if !bytes.Equal(in, before) {
			t.Errorf("%s: the caller's bytes were changed", name)
		}
	}
}

// A socket that takes nothing is told to the library, which ends the link.
func TestAFailedWriteIsReturned(t *testing.T) {
	broken := errors.New("broken pipe")
	r, w := io.Pipe()
	r.CloseWithError(broken)
	if _, err := newCloseFilter(sent{Writer: w}).Write(on(0, 8)); !errors.Is(err, broken) {
		t.Error(err)
	}
}

func BenchmarkWrittenAcknowledgement(b *testing.B) {
	ack := on(7, methodType, 0, 60, 0, 80, 0, 0, 0, 0, 0, 0, 0, 5, 1)
	for name, w := range map[string]net.Conn{"bare": sent{Writer: io.Discard}, "filtered": newCloseFilter(sent{Writer: io.Discard})} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, _ = w.Write(ack)
			}
		})
	}
}
