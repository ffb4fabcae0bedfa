package clients

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Received is what a Stream has been sent so far, as a value.
type Received struct {
	Events   []Event
	Messages int   // how many of the events are messages
	Ended    bool  // the answer is over
	Err      error // how it broke; nil for an orderly end on a frame boundary
}

// Message is the data of a message event.
type Message struct {
	Payload         json.RawMessage `json:"payload"`
	PayloadEncoding string          `json:"payloadEncoding"`
	PayloadBytes    int             `json:"payloadBytes"` // of a body that was over the limit
	Exchange        string          `json:"exchange"`
	RoutingKey      string          `json:"routingKey"`
	Redelivered     *bool           `json:"redelivered"`
	Routes          []string        `json:"routes"`
}

// Failure is the data of an error event.
type Failure struct {
	Code         string `json:"code"`
	Message      string `json:"message"`
	Retryable    *bool  `json:"retryable"`
	RetryAfterMs int64  `json:"retryAfterMs"` // a client waits a random time up to it; 0: it must not try again
}

// Count returns the number of events of a name.
func (r Received) Count(name string) int {
	count := 0
	for _, e := range r.Events {
		if e.Name == name {
			count++
		}
	}
	return count
}

// Ready reports whether the ready event has come.
func (r Received) Ready() bool {
	return slices.ContainsFunc(r.Events, func(e Event) bool { return e.Name == "ready" })
}

// Message returns the i-th message, counted from 0, and fails where its data is
// not exactly as the contract has it.
func (r Received) Message(i int) (m Message, err error) {
	for _, e := range r.Events {
		if e.Name != "message" {
			continue
		}
		if i == 0 {
			return decodeMessage(e.Data)
		}
		i--
	}
	return m, fmt.Errorf("there are %d messages too few", i+1)
}

// Numbers returns the numbers of the messages, in order of arrival: of payloads such as {"n":17}.
// Other messages are left out.
func (r Received) Numbers() (list []int) {
	for _, e := range r.Events {
		if n := e.number(); n > 0 {
			list = append(list, n)
		}
	}
	return list
}

// LastNumber returns the last of Numbers, 0 where there is none.
func (r Received) LastNumber() int {
	for _, e := range slices.Backward(r.Events) {
		if n := e.number(); n > 0 {
			return n
		}
	}
	return 0
}

// number returns the number of a message, 0 for any other event.
func (e Event) number() int {
	if e.Name != "message" {
		return 0
	}
	m, err := decodeMessage(e.Data)
	if err != nil {
		return 0
	}
	return number(m.Payload)
}

// Failure returns the data of the error event, which can only be the last; ok is
// false while there is none.
func (r Received) Failure() (f Failure, ok bool, err error) {
	last := len(r.Events) - 1
	if last < 0 || r.Events[last].Name != "error" {
		return f, false, nil
	}
	return f, true, decode(r.Events[last].Data, &f)
}

// String is the stream's transcript: a line per event, long stretches of
// messages folded, and the end.
func (r Received) String() string {
	var out strings.Builder
	for i, e := range r.Events {
		if i >= shownAtEachEnd && i < len(r.Events)-shownAtEachEnd {
			if i == shownAtEachEnd {
				fmt.Fprintf(&out, "  … %d events …\n", len(r.Events)-2*shownAtEachEnd)
			}
			continue
		}
		fmt.Fprintf(&out, "  %6.3fs %-7s %s\n", e.At.Seconds(), e.Name, shorten(e.Data))
	}
	switch {
	case r.Err != nil:
		fmt.Fprintf(&out, "  broken: %v\n", r.Err)
	case r.Ended:
		out.WriteString("  end of the answer\n")
	default:
		out.WriteString("  still open\n")
	}
	return out.String()
}

// shownAtEachEnd is how many events a transcript shows before and after a fold.
const shownAtEachEnd = 12

func shorten(data string) string {
	if len(data) > 160 {
		return fmt.Sprintf("%.160s… (%d bytes)", data, len(data))
	}
	return data
}
