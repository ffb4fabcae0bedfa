package sse

import (
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

func decode(t *testing.T, r io.Reader) []Event {
	t.Helper()
	var events []Event
	for e, err := range NewDecoder(r).All() {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
	return events
}

// Each row is a rule of the standard, section 9.2.6 "Interpreting an event stream".
func TestStreamsAreReadAsBrowsersReadThem(t *testing.T) {
	for _, c := range []struct {
		rule, stream string
		want         []Event
	}{
		{"line feeds", "data: a\n\n", []Event{{"message", "a", ""}}},
		{"carriage returns", "data: a\r\r", []Event{{"message", "a", ""}}},
		{"both", "data: a\r\n\r\n", []Event{{"message", "a", ""}}},
		{"mixed line ends", "data: a\rdata: b\ndata: c\r\n\n", []Event{{"message", "a\nb\nc", ""}}},
		{"a leading byte order mark", "\xEF\xBB\xBFdata: a\n\n", []Event{{"message", "a", ""}}},
		{"only one byte order mark", "\xEF\xBB\xBF\xEF\xBB\xBFdata: a\n\n", nil},
		{"no byte order mark later", "data: a\n\xEF\xBB\xBFdata: b\n\n", []Event{{"message", "a", ""}}},
		{"comments", ": hello\ndata: a\n:\n\n", []Event{{"message", "a", ""}}},
		{"several data lines", "data: a\ndata: b\n\n", []Event{{"message", "a\nb", ""}}},
		{"an empty data line", "data\n\n", []Event{{"message", "", ""}}},
		{"two empty data lines", "data\ndata\n\n", []Event{{"message", "\n", ""}}},
		{"one space is taken off", "data:  a\ndata:b\n\n", []Event{{"message", " a\nb", ""}}},
		{"colons in the value", "data: a:b: c\n\n", []Event{{"message", "a:b: c", ""}}},
		{"names", "event: ping\ndata: {}\n\ndata: x\n\n", []Event{{"ping", "{}", ""}, {"message", "x", ""}}},
		{"a name without data is no event", "event: ping\n\ndata: x\n\n", []Event{{"message", "x", ""}}},
		{"the last name counts", "event: a\nevent: b\ndata: x\n\n", []Event{{"b", "x", ""}}},
		{"ids stay", "id: 1\ndata: a\n\ndata: b\n\n", []Event{{"message", "a", "1"}, {"message", "b", "1"}}},
		{"an id alone counts", "id: 1\n\ndata: b\n\n", []Event{{"message", "b", "1"}}},
		{"an empty id resets", "id: 1\ndata: a\n\nid\ndata: b\n\n", []Event{{"message", "a", "1"}, {"message", "b", ""}}},
		{"an id with NUL is ignored", "id: 1\ndata: a\n\nid: 2\x003\ndata: b\n\n", []Event{{"message", "a", "1"}, {"message", "b", "1"}}},
		{"unknown fields", "foo: bar\ndata: a\nDATA: b\n data: c\n\n", []Event{{"message", "a", ""}}},
		{"what the end cuts off", "data: a\n\ndata: b\n", []Event{{"message", "a", ""}}},
		{"what the end cuts off in a line", "data: a\n\ndata: b", []Event{{"message", "a", ""}}},
		{"nothing", "", nil},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if got := decode(t, strings.NewReader(c.stream)); !reflect.DeepEqual(got, c.want) {
				t.Errorf("at once: got %q, want %q", got, c.want)
			}
			if got := decode(t, iotest.OneByteReader(strings.NewReader(c.stream))); !reflect.DeepEqual(got, c.want) {
				t.Errorf("byte by byte: got %q, want %q", got, c.want)
			}
		})
	}
}

// A reader that waits for the byte behind a carriage return would show each
// event only when the next one comes.
func TestAnEventIsGivenOutBeforeTheNextByteArrives(t *testing.T) {
	for _, end := range []string{"\n", "\r", "\r\n"} {
		r, w := io.Pipe()
		go io.WriteString(w, "data: a"+end+end) // ends with the pipe
		e, err := NewDecoder(r).Next()
		if err != nil || e.Data != "a" {
			t.Errorf("line end %q: got %q, %v", end, e, err)
		}
		r.Close()
	}
}

func TestRetryIsTakenFromDigitsOnly(t *testing.T) {
	for stream, want := range map[string]time.Duration{
		"retry: 1500\n": 1500 * time.Millisecond, "retry: 0\n": 0, "retry:7\n": 7 * time.Millisecond,
		"retry: 5\nretry: x\n": 5 * time.Millisecond,
		"retry: 1.5\n":         -1, "retry: -1\n": -1, "retry: +1\n": -1, "retry\n": -1, "retry: 99999999999999999\n": -1,
	} {
		d := NewDecoder(strings.NewReader(stream))
		if _, err := d.Next(); err != io.EOF {
			t.Fatal(err)
		}
		got, ok := d.Retry()
		if ok != (want >= 0) || got != max(want, 0) {
			t.Errorf("%q: got %v, %v", stream, got, ok)
		}
	}
}

func TestLastIDIsWhatAReconnectWouldSend(t *testing.T) {
	d := NewDecoder(strings.NewReader("id: -\ndata: a\n\n"))
	if _, err := d.Next(); err != nil || d.LastID() != "-" {
		t.Errorf("last id %q, %v", d.LastID(), err)
	}
}

// A stream without line ends must not fill the memory.
func TestALineOverTheLimitEndsTheStreamWithAClearError(t *testing.T) {
	for name, stream := range map[string]io.Reader{
		"one line without end": endless("data: xxxxxxxxxx"),
		"data of many lines":   endless("data: xxxxxxxxxx\n"),
	} {
		d := NewDecoder(stream)
		d.Limit(1000)
		_, err := d.Next()
		if !errors.Is(err, ErrTooLong) || !strings.Contains(err.Error(), "1000 bytes") {
			t.Errorf("%s: %v", name, err)
		}
		if _, again := d.Next(); again != err {
			t.Errorf("%s: a second Next fails with %v", name, again)
		}
	}
}

func TestALineAtTheLimitPasses(t *testing.T) {
	d := NewDecoder(strings.NewReader("data:" + strings.Repeat("x", 995) + "\n\n"))
	d.Limit(1000)
	if _, err := d.Next(); err != nil {
		t.Error(err)
	}
}

func TestAReadersFailureIsPassedOn(t *testing.T) {
	gone := errors.New("gone")
	d := NewDecoder(io.MultiReader(strings.NewReader("data: a\n\ndata: b\n"), iotest.ErrReader(gone)))
	var failures int
	for e, err := range d.All() {
		if err == nil && e.Data == "a" {
			continue
		}
		failures++
		if err != gone {
			t.Errorf("got %q, %v", e, err)
		}
	}
	if failures != 1 {
		t.Errorf("the failure was given out %d times", failures)
	}
}

// endless returns a reader that repeats a text for ever.
func endless(text string) io.Reader { return &repeated{text: text} }

type repeated struct {
	text string
	at   int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		c := copy(p[n:], r.text[r.at:])
		n, r.at = n+c, (r.at+c)%len(r.text)
	}
	return n, nil
}
