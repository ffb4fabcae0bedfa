package clients

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Check returns what about the events breaks the contract that every stream keeps,
// whatever happens to it:
//
//	ping, then at most one ready, messages only after it, at most one error,
//	and that last; every id "-"; every data one line of the JSON that belongs
//	to the event; numbered payloads in order, without repetition.
func (r Received) Check() error {
	c := check{}
	for i, e := range r.Events {
		if err := c.next(i, e); err != nil {
			return fmt.Errorf("event %d, %s %s: %w", i+1, e.Name, shorten(e.Data), err)
		}
	}
	return nil
}

// check is what one event's admissibility depends on.
type check struct {
	ready, over bool
	number      int // of the last numbered payload
}

func (c *check) next(i int, e Event) error {
	switch {
	case c.over:
		return errors.New("comes after the error event")
	case e.ID != "-":
		return fmt.Errorf("has the id %q", e.ID)
	case i == 0 && e.Name != "ping" && e.Name != "error":
		return errors.New("comes before the first ping")
	}
	switch e.Name {
	case "ping":
		return c.ping(e.Data)
	case "ready":
		return c.becomeReady(e.Data)
	case "message":
		return c.message(e.Data)
	case "error":
		return c.failure(e.Data)
	}
	return errors.New("is no event of ours")
}

func (c *check) ping(data string) error {
	var ping struct {
		Time string `json:"time"`
	}
	if err := decode(data, &ping); err != nil {
		return err
	}
	if len(ping.Time) != len("2026-11-20T20:24:56.123Z") {
		return fmt.Errorf("its time %q has another form", ping.Time)
	}
	return nil
}

func (c *check) becomeReady(data string) error {
	if c.ready || data != "{}" {
		return errors.New("is a second ready, or one with data")
	}
	c.ready = true
	return nil
}

func (c *check) message(data string) error {
	if !c.ready {
		return errors.New("comes before ready")
	}
	message, err := decodeMessage(data)
	if err != nil {
		return err
	}
	if n := number(message.Payload); n > 0 {
		if n <= c.number && !*message.Redelivered {
			return fmt.Errorf("comes after number %d", c.number)
		}
		c.number = n
	}
	return nil
}

// number returns the number of a payload that the tests have numbered, such as
// {"n":17} or {"n":17,"pad":"…"}; 0 for any other. It looks at the first bytes
// only: payloads may be large, and many.
func number(payload []byte) int {
	rest, ok := bytes.CutPrefix(payload, []byte(`{"n":`))
	if !ok {
		return 0
	}
	digits := bytes.IndexAny(rest, ",}")
	n, err := strconv.Atoi(string(rest[:max(digits, 0)]))
	if err != nil {
		return 0
	}
	return n
}

func (c *check) failure(data string) error {
	c.over = true
	var f Failure
	switch err := decode(data, &f); {
	case err != nil:
		return err
	case f.Code == "" || f.Message == "" || f.Retryable == nil:
		return errors.New("lacks a code, a message or whether it is retryable")
	case *f.Retryable != (f.RetryAfterMs > 0):
		return errors.New("a retryable error says how long to wait at most, and no other one does")
	}
	return nil
}

func decodeMessage(data string) (m Message, err error) {
	switch err := decode(data, &m); {
	case err != nil:
		return m, err
	case m.Payload == nil || m.Redelivered == nil || m.Routes == nil:
		return m, errors.New("lacks payload, redelivered or routes")
	}
	return m, nil
}

// decode reads one line of JSON that has no other fields than into's.
func decode(data string, into any) error {
	if strings.ContainsAny(data, "\n\r") {
		return errors.New("has more than one line of data")
	}
	decoder := json.NewDecoder(strings.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil {
		return err
	}
	if _, err := decoder.Token(); err != io.EOF {
		return errors.New("has something after its JSON")
	}
	return nil
}
