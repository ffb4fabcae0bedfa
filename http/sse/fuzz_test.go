package sse

import (
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
)

// Whatever the types accept comes out of the decoder as it went in, and
// nothing else does.
func FuzzAFrameIsReadBackAsItWasWritten(f *testing.F) {
	for _, frame := range frames {
		f.Add(frame.name, frame.data, "-")
	}
	f.Add("", "", "")
	f.Add(" a", " b", " c")
	f.Add("x:y", "\x00", ":")
	f.Fuzz(func(t *testing.T, name, data, id string) {
		n, err := NewName(name)
		if err != nil {
			t.Skip("no name")
		}
		d, err := NewData([]byte(data))
		if err != nil {
			t.Skip("no data")
		}
		var e Encoder
		if id != "" {
			if e.ID, err = NewID(id); err != nil {
				t.Skip("no id")
			}
		}
		if name == "" {
			name = DefaultName
		}
		want := Event{name, data, id}
		stream := e.Append(e.Append(nil, n, d), n, d)
		if got := decode(t, strings.NewReader(string(stream))); !reflect.DeepEqual(got, []Event{want, want}) {
			t.Errorf("wrote %q twice, read %q", want, got)
		}
	})
}

// However the bytes arrive, the events are the same, hold no carriage return,
// and respect the limit.
func FuzzDecodingDoesNotDependOnHowTheBytesArrive(f *testing.F) {
	for _, s := range []string{
		"data: a\n\n", "\xEF\xBB\xBFid: 1\r\rdata\r\n\r\n", ": c\nevent:x\ndata:1\ndata:2\n\n", "retry: 3\nid: \x00\n\n",
		strings.Repeat("data: y\n", 20) + "\n",
	} {
		f.Add(s)
	}
	const limit = 64
	read := func(r io.Reader) (events []Event, failed error) {
		d := NewDecoder(r)
		d.Limit(limit)
		for {
			e, err := d.Next()
			if err != nil {
				return events, err
			}
			events = append(events, e)
		}
	}
	f.Fuzz(func(t *testing.T, stream string) {
		whole, err := read(strings.NewReader(stream))
		bytewise, err2 := read(iotest.OneByteReader(strings.NewReader(stream)))
		if !reflect.DeepEqual(whole, bytewise) || (err == io.EOF) != (err2 == io.EOF) {
			t.Fatalf("whole: %q, %v; byte by byte: %q, %v", whole, err, bytewise, err2)
		}
		for _, e := range whole {
			if strings.ContainsRune(e.Name+e.Data+e.ID, '\r') || len(e.Data) > limit || strings.Contains(e.ID, "\x00") {
				t.Fatalf("impossible event %q", e)
			}
		}
	})
}
