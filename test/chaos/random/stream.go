package random

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/sse"
	"github.com/taskcluster/events-proxy/test/chaos/history"
)

// stream is one stream of a client, as far as it has come.
type stream struct {
	reader *reader
	run    *conductor
	number int

	count  int // of events
	opened time.Time
	ready  time.Time
	last   int    // the last message's number
	code   string // of the error event
	odd    string // the first thing that a stream must not hold

	late  map[int]bool // unconfirmed numbers that came after later ones
	batch batch
}

func (c *conductor) newStream(r *reader) *stream {
	c.book.opened()
	return &stream{reader: r, run: c, number: c.streams.next(), opened: time.Now()}
}

// events reads to the stream's end and returns how that came.
func (s *stream) events(body io.Reader) error {
	frames := sse.NewDecoder(body)
	for {
		event, err := frames.Next()
		if err != nil {
			return err
		}
		s.event(event, time.Now())
	}
}

func (s *stream) event(event sse.Event, now time.Time) {
	s.count++
	switch {
	case s.code != "":
		s.wrong(oneCode, "%s after the error %s", event.Name, s.code)
	case s.count == 1 && event.Name != "ping" && event.Name != "error":
		s.wrong(readyFirst, "the first event is %s", event.Name)
	}
	switch event.Name {
	case "ping":
	case "ready":
		s.becomeReady(now)
	case "message":
		s.message(event.Data, now)
	case "error":
		s.failure(event.Data)
	default:
		s.wrong(readyFirst, "an event of no known name: %s", event.Name)
	}
}

func (s *stream) becomeReady(now time.Time) {
	s.run.book.tried(readyFirst)
	if !s.ready.IsZero() {
		s.wrong(readyFirst, "ready came twice")
		return
	}
	s.ready = now
	s.reader.mu.Lock()
	s.reader.ready, s.reader.opened, s.reader.lastReady, s.reader.lastNumber = true, s.opened, now, 0
	s.reader.mu.Unlock()
	s.run.history.AddAt(now, history.Ready{Stream: s.number})
}

// message checks a message's place in its stream.
func (s *stream) message(data string, now time.Time) {
	var m struct {
		Payload     struct{ N int }
		Redelivered bool
	}
	if err := json.Unmarshal([]byte(data), &m); err != nil || m.Payload.N == 0 {
		s.wrong(complete, "a message that was not published: %.100s", data)
		return
	}
	if s.ready.IsZero() {
		s.wrong(readyFirst, "message %d before ready", m.Payload.N)
	}
	s.place(m.Payload.N, m.Redelivered)
	s.run.book.received(1)
	s.batch.add(s, m.Payload.N, m.Redelivered, now)
	s.reader.mu.Lock()
	s.reader.lastMessage, s.reader.lastNumber, s.reader.lastServed = now, s.last, s.ready
	s.reader.mu.Unlock()
}

// place compares a number with what the stream has, and with what it is owed.
func (s *stream) place(number int, redelivered bool) {
	s.run.book.tried(complete)
	switch lost := 0; {
	case number <= s.last && !redelivered:
		s.outOfOrder(number)
	case s.last > 0:
		lost = s.run.ledger.lost(s.last, number, s.opened)
		fallthrough
	default:
		if s.last == 0 && !s.ready.IsZero() {
			lost = s.run.ledger.owed(0, s.ready, s.opened)
		}
		if lost > 0 && lost < number {
			s.wrong(complete, "message %d was lost before %d, unsaid; the one before that was %d", lost, number, s.last)
		}
	}
	s.last = max(s.last, number)
}

// outOfOrder judges a number that is not the next. A publisher that has given one up goes
// on by another channel, and AMQP orders each channel's alone: that one may come late, once.
func (s *stream) outOfOrder(number int) {
	if number == s.last || s.late[number] || s.run.ledger.isSure(number) {
		s.wrong(complete, "message %d came after %d", number, s.last)
		return
	}
	if s.late == nil {
		s.late = map[int]bool{}
	}
	s.late[number] = true
}

func (s *stream) failure(data string) {
	var told struct {
		Code      string
		Message   string
		Retryable bool
	}
	if json.Unmarshal([]byte(data), &told) != nil || told.Code == "" {
		s.wrong(oneCode, "an error without a code: %s", data)
		told.Code = "none"
	}
	s.code = told.Code
	s.run.book.reachedCode(told.Code)
	s.run.history.Add(history.Error{Stream: s.number, Code: told.Code, Retryable: told.Retryable, Message: told.Message})
	refused := told.Code == string(actors.BindingRefused) && s.run.explains(s.reader, told.Code, time.Now()) // its exchange is away
	if !told.Retryable && !refused {
		s.wrong(oneCode, "%s for a request that is right: %s", told.Code, told.Message)
	}
}

// wrong notes what a stream must not hold.
func (s *stream) wrong(invariant, format string, args ...any) {
	if s.odd == "" {
		s.odd = invariant + ": " + fmt.Sprintf(format, args...)
	}
	s.run.book.violate(invariant, "stream %d: "+format, append([]any{s.number}, args...)...)
}

// ended looks at how the answer ended; the client has left where ctx is over.
func (s *stream) ended(ctx context.Context, err error, atBoundary bool) {
	now := time.Now()
	s.reader.mu.Lock()
	s.reader.ready, s.reader.lastNumber = false, 0
	s.reader.mu.Unlock()
	s.batch.flush(s)
	end := history.End{Stream: s.number, How: "order", Odd: s.odd}
	switch {
	case ctx.Err() != nil && (s.code == "" || err != io.EOF):
		end.How = "left"
	case err != io.EOF:
		end.How, end.Error = "broken", err.Error()
	case !atBoundary:
		end.How, end.Error = "broken", "the answer ends inside a frame"
	}
	s.run.history.AddAt(now, end)
	if end.How == "left" {
		return
	}
	s.run.book.tried(oneCode)
	if end.How == "broken" || s.code == "" {
		s.run.book.violate(oneCode, "stream %d: its answer ended with the code %q: %v", s.number, s.code, end)
		return
	}
	s.run.explained(s.reader, s.code, now)
}

// batch collects consecutive messages into one line of the history.
type batch struct {
	begun  time.Time
	record history.Messages
}

// A batch is written when it is so large, or so old.
const (
	batchSize = 200
	batchAge  = 500 * time.Millisecond
)

func (b *batch) add(s *stream, number int, redelivered bool, now time.Time) {
	next := b.record.From + len(b.record.At)
	if len(b.record.At) > 0 && (number != next || redelivered != b.record.Redelivered || len(b.record.At) == batchSize || now.Sub(b.begun) > batchAge) {
		b.flush(s)
	}
	if len(b.record.At) == 0 {
		b.begun, b.record = now, history.Messages{Stream: s.number, From: number, Redelivered: redelivered, At: b.record.At}
	}
	b.record.At = append(b.record.At, int(now.Sub(b.begun).Milliseconds()))
}

func (b *batch) flush(s *stream) {
	if len(b.record.At) > 0 {
		s.run.history.AddAt(b.begun, b.record)
		b.record.At = b.record.At[:0]
	}
}
