package actors

import (
	"context"
	"io"
	"iter"
	"sync"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Stream is the hand-over from the actors to one reader: an HTTP response, or
// a Go program. Events are put in by offer and finish, which never wait; the
// reader takes them out.
//
//	worker ──offer──▶ ┌────────┐ ──Take, Next──▶ reader
//	connection ─finish▶│ Stream │ ◀──Done────────  (written: may be forgotten)
//	        ◀──gone─── └────────┘ ◀──Close, Fail─
//
// A program reads with Next or Events. A writer of bytes uses Notify, Take and
// Done instead, which lets many events share one write; the two ways do not mix.
// Close, Fail, ID and Ended may be called from anywhere, all else by one
// goroutine at a time.
type Stream struct {
	id      string
	address string

	bindings []amqp.Binding
	since    time.Time

	mu              sync.Mutex
	tell            func(any) // sends to the stream's connection actor; nil before there is one
	waiting         *[]Event  // nil while nothing waits: an idle stream costs no buffer
	bytes           int       // of the messages that wait
	limit           int       // of bytes, where the source cannot be slowed down; 0: none
	messages, total int64     // offered since the start, and their bytes
	verdict         *Error    // why it ended; set once
	closed          bool      // the reader has gone
	notify          func()
	settle          acknowledger  // where deliveries come from; nil: nobody waits for a word
	taken           uint64        // the highest tag that the reader has taken
	wake            chan struct{} // Next's own; nil before the first

	pulled []Event // Next's own, taken and not yet given out
	tag    uint64  // of the message that Next gave out last
}

// acknowledger is told which deliveries were written.
type acknowledger interface {
	// acknowledge: everything up to and including tag was written. It never waits.
	acknowledge(tag uint64)
}

// buffers holds the waiting lists of streams that have become idle.
var buffers = sync.Pool{New: func() any { return new([]Event) }}

// ID names the stream in logs and in the live tree: 22 characters, unguessable.
func (s *Stream) ID() string { return s.id }

// Ended gives the reason of the end, and nil while the stream goes on.
func (s *Stream) Ended() *Error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.verdict
}

// Notify sets the function that is called when events come to wait where none
// did, and once more when the stream ends. It is called at once where either
// is the case already. f must not block, nor call the Stream's methods but
// Ended; it is called from any goroutine, sometimes from two at a time. A reader
// whose f panics counts as gone. Notify is called once.
func (s *Stream) Notify(f func()) {
	s.mu.Lock()
	s.notify = f
	due := s.waiting != nil || s.verdict != nil
	s.mu.Unlock()
	if due {
		f()
	}
}

// inform calls what Notify has set. A panic must not reach the actor that
// calls: one that fails while it stops would never end.
func (s *Stream) inform(notify func()) {
	if notify == nil {
		return
	}
	defer func() {
		if recover() != nil {
			s.Close()
		}
	}()
	notify()
}

// Take appends all that waits to events[:0] and returns that, without waiting.
// An *Error is always the last event of a stream and given out once. Memory is
// the caller's: the stream keeps no reference to events.
func (s *Stream) Take(events []Event) []Event {
	events = events[:0]
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.waiting == nil {
		return events
	}
	events = append(events, *s.waiting...)
	s.recycle()
	for i := len(events) - 1; i >= 0; i-- {
		if m, ok := events[i].(*Message); ok {
			s.taken = m.tag
			break
		}
	}
	return events
}

// Done says that everything taken so far was written, so that the broker may
// forget it.
func (s *Stream) Done() {
	s.mu.Lock()
	settle, tag := s.settle, s.taken
	s.mu.Unlock()
	if settle != nil && tag > 0 {
		settle.acknowledge(tag)
	}
}

// Next waits for the next event. Asking for an event says that the one before
// was dealt with. After the *Error, which is the last event, it returns io.EOF;
// ctx's end is returned as ctx.Err() and ends nothing.
func (s *Stream) Next(ctx context.Context) (Event, error) {
	if s.wake == nil {
		s.listen()
	}
	s.acknowledgeLast()
	for len(s.pulled) == 0 {
		if s.pulled = s.Take(nil); len(s.pulled) > 0 {
			break
		}
		if s.over() {
			return nil, io.EOF
		}
		select {
		case <-s.wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	event := s.pulled[0]
	s.pulled = s.pulled[1:]
	if m, ok := event.(*Message); ok {
		s.tag = m.tag
	}
	return event, nil
}

// listen prepares Next's waiting.
func (s *Stream) listen() {
	wake := make(chan struct{}, 1) // one is enough: it says "look again"
	s.mu.Lock()
	s.wake = wake
	s.mu.Unlock()
	s.Notify(func() { rouse(wake) })
}

// rouse makes whoever waits for wake look again; nil is nobody.
func rouse(wake chan<- struct{}) {
	select {
	case wake <- struct{}{}:
	default:
	}
}

// Events gives the stream's events for a range loop, the *Error last. The
// stream is closed when the loop is left, however it is left.
func (s *Stream) Events(ctx context.Context) iter.Seq[Event] {
	return func(yield func(Event) bool) {
		defer s.Close()
		for {
			event, err := s.Next(ctx)
			if err != nil || !yield(event) {
				return
			}
		}
	}
}

// Close says that the reader has gone: the stream's actors stop and the broker
// is tidied up. It does not wait; closing again, or after the end, is harmless.
func (s *Stream) Close() {
	s.mu.Lock()
	first, tell := !s.closed, s.tell
	s.closed = true
	if s.verdict == nil {
		s.verdict = errReaderGone
	}
	s.drop()
	rouse(s.wake) // Next may be waiting
	s.mu.Unlock()
	if first && tell != nil {
		tell(gone{})
	}
}

// attach says where the stream's connection actor is. A reader that left
// before learns nothing of it, and the actor hears of the leaving at once.
func (s *Stream) attach(tell func(any)) {
	s.mu.Lock()
	s.tell = tell
	left := s.closed
	s.mu.Unlock()
	if left {
		tell(gone{})
	}
}

// Fail ends the stream with the reader's own verdict, such as SlowConsumer for
// a client that did not take its bytes in time. The reader receives it as its
// last event unless the stream has ended for another reason before.
func (s *Stream) Fail(err *Error) {
	s.mu.Lock()
	tell := s.tell
	s.mu.Unlock()
	s.finish(err)
	if tell != nil {
		tell(spoiled{err: err})
	}
}

// offer puts an event in. It fails when the stream has ended, or when a
// message does not fit the stream's limit of bytes: then full is true.
func (s *Stream) offer(event Event) (taken, full bool) {
	size := weight(event)
	s.mu.Lock()
	if s.verdict != nil || s.closed {
		s.mu.Unlock()
		return false, false
	}
	if s.limit > 0 && s.bytes > 0 && s.bytes+size > s.limit {
		s.mu.Unlock()
		return false, true
	}
	if size > 0 {
		s.bytes += size
		s.messages++
		s.total += int64(size)
	}
	notify := s.put(event)
	s.mu.Unlock()
	s.inform(notify)
	return true, false
}

// finish ends the stream; the first verdict stands. What was offered before
// stays in front of it.
func (s *Stream) finish(err *Error) {
	s.mu.Lock()
	if s.verdict != nil {
		s.mu.Unlock()
		return
	}
	s.verdict = err
	s.put(err)
	notify := s.notify
	s.mu.Unlock()
	s.inform(notify)
}

// behind tells whether more than half of what may wait does.
func (s *Stream) behind() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.limit > 0 && s.bytes > s.limit/2
}

// ready and the two below make a stream a worker's sink: in dedicated mode.
func (s *Stream) ready(w *worker) {
	s.feedBy(w)
	s.offer(Ready{})
}

func (s *Stream) deliver(m *Message) { s.offer(m) }

// crowded: the window of unacknowledged deliveries slows the broker down.
func (s *Stream) crowded() bool { return false }

// idle tells whether nothing waits.
func (s *Stream) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting == nil
}

// feedBy says who is told about written deliveries. It comes before the first.
func (s *Stream) feedBy(a acknowledger) {
	s.mu.Lock()
	s.settle = a
	s.mu.Unlock()
}

// put appends under the lock, and gives the function to call after it where
// the event is the first to wait.
func (s *Stream) put(event Event) func() {
	first := s.waiting == nil
	if first {
		s.waiting = buffers.Get().(*[]Event)
	}
	*s.waiting = append(*s.waiting, event)
	if first {
		return s.notify
	}
	return nil
}

// drop forgets what waits: nobody will read it.
func (s *Stream) drop() {
	if s.waiting != nil {
		s.recycle()
	}
}

func (s *Stream) recycle() {
	list := s.waiting
	s.waiting, s.bytes = nil, 0
	clear(*list)
	if cap(*list) > maxIdleList {
		return
	}
	*list = (*list)[:0]
	buffers.Put(list)
}

// outcome is the code that the stream's end is counted under.
func (s *Stream) outcome() Code {
	if err := s.Ended(); err != nil {
		return err.Code
	}
	return ""
}

// maxIdleList is the longest waiting list that is kept for another stream.
const maxIdleList = 1024

func (s *Stream) acknowledgeLast() {
	if s.tag == 0 {
		return
	}
	s.mu.Lock()
	settle := s.settle
	s.mu.Unlock()
	if settle != nil {
		settle.acknowledge(s.tag)
	}
	s.tag = 0
}

func (s *Stream) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting == nil && (s.verdict != nil || s.closed)
}

// weight is what an event takes of a reader's limit.
func weight(event Event) int {
	if m, ok := event.(*Message); ok {
		return len(m.JSON)
	}
	return 0
}
