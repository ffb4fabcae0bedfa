package sse

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"strconv"
	"time"
)

// DefaultMaxEvent is a Decoder's limit, in bytes, unless Limit sets another. The
// largest message of an events proxy fits: 64 MiB of bytes, as base64 in JSON.
const DefaultMaxEvent = 96 << 20

// ErrTooLong is returned by Next when a line, or the data of one event, is longer
// than the decoder's limit.
var ErrTooLong = errors.New("sse: line or event too long")

// Event is one event as a client sees it.
type Event struct {
	Name string // DefaultName where the stream names none
	Data string // the data lines, joined by a line feed
	ID   string // the stream's last id, in this event or an earlier one; "" without one
}

// Decoder reads the events of one stream. It follows the standard's rules for
// lines (CR, LF and CRLF, mixed), byte order mark, comments, unknown fields
// and ids; bytes that are not UTF-8 are passed on as they are.
//
// An event is returned as soon as the line that ends it is complete: with CR as
// line end too, no byte behind it is waited for. What the stream leaves
// incomplete at its end is discarded, as in a browser.
//
// A Decoder must not be used by several goroutines at a time.
type Decoder struct {
	r   *bufio.Reader
	max int
	err error // sticky

	skipLF bool // the last line ended with CR: a LF that follows belongs to it
	begun  bool // a line was read, so no byte order mark can follow

	line  []byte // the line being read
	name  string
	last  string // the last name, for same
	data  []byte
	some  bool // a data field was there, even if empty
	id    string
	retry time.Duration
}

// NewDecoder returns a Decoder that reads from r, with DefaultMaxEvent as limit.
func NewDecoder(r io.Reader) *Decoder {
	return &Decoder{r: bufio.NewReader(r), max: DefaultMaxEvent, retry: -1}
}

// Limit sets how many bytes a line, and the data of one event, may have: at
// least 1. It must be called before the first Next.
func (d *Decoder) Limit(bytes int) { d.max = max(bytes, 1) }

// Retry returns the reconnection time that the stream last asked for; ok is false
// when it asked for none.
func (d *Decoder) Retry() (wait time.Duration, ok bool) { return max(d.retry, 0), d.retry >= 0 }

// LastID returns the id with which a client would reconnect, "" without one.
func (d *Decoder) LastID() string { return d.id }

// Next waits for the next event and returns it. Its error is io.EOF at the
// stream's end, one that wraps ErrTooLong, or the reader's; every later call
// returns the same error.
func (d *Decoder) Next() (Event, error) {
	for d.err == nil {
		var line []byte
		if line, d.err = d.readLine(); d.err != nil {
			break
		}
		if len(line) > 0 {
			d.err = d.field(line)
		} else if e, ok := d.dispatch(); ok {
			return e, nil
		}
	}
	return Event{}, d.err
}

// All returns the events for a range loop. The loop ends at the stream's end; any
// other error is yielded once, with a zero Event.
func (d *Decoder) All() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			e, err := d.Next()
			if err == io.EOF || !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// dispatch ends an event at an empty line, and returns it; false where it has no
// data, and so is none.
func (d *Decoder) dispatch() (Event, bool) {
	e, some := Event{Name: d.name, Data: string(d.data), ID: d.id}, d.some
	d.name, d.data, d.some = "", d.data[:0], false
	if e.Name == "" {
		e.Name = DefaultName
	}
	return e, some
}

// field takes one line that is not empty: "name: value", "name:value", "name",
// or ": a comment".
func (d *Decoder) field(line []byte) error {
	name, value, _ := bytes.Cut(line, []byte(":"))
	value = bytes.TrimPrefix(value, []byte(" ")) // one space, not all
	switch string(name) {
	case fieldEvent:
		d.name = same(d.last, value)
		d.last = d.name
	case fieldData:
		return d.addData(value)
	case fieldID:
		if bytes.IndexByte(value, 0) < 0 {
			d.id = same(d.id, value)
		}
	case fieldRetry:
		d.setRetry(value)
	}
	return nil
}

// same returns value as a string: known where it equals that, since most events
// repeat their name and id.
func same(known string, value []byte) string {
	if string(value) == known { // compares without allocating
		return known
	}
	return string(value)
}

func (d *Decoder) addData(value []byte) error {
	if d.some {
		d.data = append(d.data, '\n')
	}
	d.some = true
	if len(d.data)+len(value) > d.max {
		return fmt.Errorf("%w: the data of an event has more than %d bytes", ErrTooLong, d.max)
	}
	d.data = append(d.data, value...)
	return nil
}

// setRetry takes only what is all ASCII digits, and no more milliseconds than
// a Duration holds.
func (d *Decoder) setRetry(value []byte) {
	for _, c := range value {
		if c < '0' || c > '9' {
			return
		}
	}
	const most = int64(1<<63-1) / int64(time.Millisecond)
	if ms, err := strconv.ParseInt(string(value), 10, 64); err == nil && ms <= most {
		d.retry = time.Duration(ms) * time.Millisecond
	}
}
