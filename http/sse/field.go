package sse

import (
	"bytes"
	"fmt"
	"strings"
)

// The fields of an event stream, as they start a line on the wire.
const (
	fieldEvent = "event"
	fieldData  = "data"
	fieldID    = "id"
	fieldRetry = "retry"
)

// DefaultName is the name of an event without an event field.
const DefaultName = "message"

// Name is an event's name: one line, since a line break would let its text start
// fields and events of its own. The zero Name writes no event field; clients read
// that as DefaultName.
type Name struct{ line string }

// NewName returns s as a Name, an error where s holds a line break.
func NewName(s string) (Name, error) {
	if err := oneLine("event name", s); err != nil {
		return Name{}, err
	}
	return Name{s}, nil
}

// MustName is NewName for names in the source; it panics where NewName fails.
func MustName(s string) Name { return must(NewName(s)) }

// String returns the name's text.
func (n Name) String() string { return n.line }

// ID is an event's id: one line without NUL, which clients would ignore. The
// zero ID writes no id field.
type ID struct{ line string }

// NewID returns s as an ID, an error where s is empty (which a client cannot tell
// from no id) or holds a line break or NUL.
func NewID(s string) (ID, error) {
	if s == "" {
		return ID{}, fmt.Errorf("sse: the id is empty")
	}
	if strings.IndexByte(s, 0) >= 0 {
		return ID{}, fmt.Errorf("sse: the id holds a NUL at byte %d", strings.IndexByte(s, 0))
	}
	if err := oneLine("id", s); err != nil {
		return ID{}, err
	}
	return ID{s}, nil
}

// MustID is NewID for ids in the source; it panics where NewID fails.
func MustID(s string) ID { return must(NewID(s)) }

// String returns the id's text.
func (id ID) String() string { return id.line }

// Data is an event's data: one line. JSON without indentation always is.
type Data struct{ line []byte }

// NewData returns b as Data, an error where b holds a line break. It keeps b
// without copying: b must not be changed after that.
func NewData(b []byte) (Data, error) {
	// Two searches for one byte each are many times faster than one for two.
	for _, end := range [...]byte{'\n', '\r'} {
		if at := bytes.IndexByte(b, end); at >= 0 {
			return Data{}, fmt.Errorf("sse: the data holds a line break at byte %d", at)
		}
	}
	return Data{b}, nil
}

// MustData is NewData for data in the source; it panics where NewData fails.
func MustData(s string) Data { return must(NewData([]byte(s))) }

// Len returns the data's size in bytes.
func (d Data) Len() int { return len(d.line) }

// Bytes returns the data itself, which must not be changed.
func (d Data) Bytes() []byte { return d.line }

// oneLine returns an error where s holds a line break.
func oneLine(what, s string) error {
	if at := strings.IndexAny(s, "\r\n"); at >= 0 {
		return fmt.Errorf("sse: the %s holds a line break at byte %d", what, at)
	}
	return nil
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
