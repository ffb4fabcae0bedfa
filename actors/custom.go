package actors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"
)

// Custom is an event of the program that has opened the stream, beside those of the broker. It comes
// to the reader in its place among the others, never before the first Ping, and on the wire under
// its own name.
type Custom struct {
	// Name is 1 to 64 of A to Z, a to z, 0 to 9, hyphen, underscore and full stop. The names of the
	// stream's own events (ping, ready, message, error), and open, which browsers use themselves,
	// are not free.
	Name string

	// Data is a JSON value of at most Limits.MessageBytes.
	Data []byte
}

func (Custom) event() {}

// What [Stream.Send] returns, beside what is wrong with the event.
var (
	// ErrStreamFull is returned where the stream holds as many bytes as Limits.BacklogBytes allows.
	ErrStreamFull = errors.New("actors: the stream's reader has too much before it")
	// ErrStreamEnded is returned where the stream has ended.
	ErrStreamEnded = errors.New("actors: the stream has ended")
)

const maxEventName = 64

var takenNames = []string{"ping", "ready", "message", "error", "open"}

// checked returns the event with its data on one line, or what is wrong with it.
func (c Custom) checked(maxBytes int) (Custom, error) {
	if !isEventName(c.Name) {
		return Custom{}, fmt.Errorf("actors: custom event: the name %.80q is not 1 to %d letters, digits, hyphens, underscores and full stops", c.Name, maxEventName)
	}
	if slices.Contains(takenNames, c.Name) {
		return Custom{}, fmt.Errorf("actors: custom event: the name %q has a meaning of its own", c.Name)
	}
	if len(c.Data) > maxBytes {
		return Custom{}, fmt.Errorf("actors: custom event %q: %d bytes, at most %d are carried", c.Name, len(c.Data), maxBytes)
	}
	var line bytes.Buffer
	if !utf8.Valid(c.Data) || json.Compact(&line, c.Data) != nil {
		return Custom{}, fmt.Errorf("actors: custom event %q: the data is not JSON", c.Name)
	}
	c.Data = line.Bytes()
	return c, nil
}

func isEventName(name string) bool {
	if name == "" || len(name) > maxEventName {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return true
}

// Send puts an event of the program's own into the stream. It returns an error where the event is
// not valid, ErrStreamEnded or ErrStreamFull; nothing was put in then, and the stream is what it
// was. It never waits, and may be called concurrently.
func (s *Stream) Send(c Custom) error {
	c, err := c.checked(s.policy.Load().Limits.MessageBytes)
	if err != nil {
		return err
	}
	return s.put(c)
}

// put is Send of an event that is known to be valid.
func (s *Stream) put(c Custom) error {
	size := sizeOf(c)
	s.mu.Lock()
	if s.verdict != nil || s.closed {
		s.mu.Unlock()
		return ErrStreamEnded
	}
	if held := s.backlog.held(); held > 0 && held+size > s.policy.Load().Limits.BacklogBytes {
		s.mu.Unlock()
		return ErrStreamFull
	}
	s.backlog.add(size)
	if !s.begun {
		s.early = append(s.early, c)
		s.mu.Unlock()
		return nil
	}
	notify := s.enqueue(c)
	s.mu.Unlock()
	s.callNotify(notify)
	return nil
}
