package actors

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Stream is the hand-over from the actors to one reader: an HTTP response, or a Go program. Events
// are put in by offer and finish, which never wait; the reader takes them out.
//
//	worker ──offer──▶ ┌────────┐ ──Take, Next──▶ reader
//	connection ─finish▶│ Stream │ ◀──Done────────  (written: the broker may forget it)
//	        ◀─closed── └────────┘ ◀──Close, Fail─
//
// A program reads with [Stream.Next] or [Stream.Events]. A writer of bytes uses [Stream.Notify],
// [Stream.Take], [Stream.Written] and [Stream.Done] instead, which lets many events share one
// write; the two ways do not mix. Close, Fail, ID and Ended may be called concurrently, all else by
// one goroutine at a time.
type Stream struct {
	id       string
	address  string
	subject  subject
	bindings []amqp.Binding
	mapping  *mapping                // nil where messages are read as they come
	policy   *atomic.Pointer[Policy] // what holds now
	since    time.Time
	opened   chan struct{} // closed when Options.OnOpen has returned; nil where nothing waits for that

	mu              sync.Mutex
	context         context.Context
	owner           streamOwner     // nil before there is one
	waiting         *[]Event        // nil while nothing waits: an idle stream costs no buffer
	backlog         backlog         // of messages that are not written
	messages, total int64           // offered since the start, and their bytes
	verdict         *Error          // why it ended; set once
	closed          bool            // by its reader
	begun           bool            // the first event was put in
	early           []Event         // come after the first event, which is not there yet
	fed             bool            // by a feed, instead of a consumer of its own; set once, before the first event
	bound           context.Context // Connect's, while the stream goes on; nil where that never ends
	unbind          func() bool     // ends the wait for its end
	notify          func()          // set by Notify
	acks            acknowledger    // where deliveries come from; nil: there is none that waits for a word
	takenTag        uint64          // the highest tag that the reader has taken
	taken           []Event         // by the reader, whose slice it is, and not written

	// Of Next alone; wake is read under mu.
	wake   chan struct{} // nil before the first
	pulled []Event       // taken and not returned yet
	last   *Message      // returned last, and not acknowledged yet
}

// streamOwner is the actor that a stream belongs to. Its methods never wait.
type streamOwner interface {
	// readerClosed reports that the reader has closed the stream.
	readerClosed()
	// readerFailed reports that the reader has ended the stream with err.
	readerFailed(err *Error)
}

// acknowledger is told which deliveries were written.
type acknowledger interface {
	// acknowledge reports that everything up to and including tag was written. It never waits.
	acknowledge(tag uint64)
	// moving reports that the reader is alive while nothing can be acknowledged yet. It never
	// waits.
	moving()
}

// buffers holds the waiting lists of streams that have become idle.
var buffers = sync.Pool{New: func() any { return new([]Event) }}

// maxIdleList is the longest waiting list that is kept for another stream.
const maxIdleList = 1024

func newStream(ctx context.Context, address string, subject subject, bindings []amqp.Binding) *Stream {
	return &Stream{id: newID(), address: address, subject: subject, bindings: bindings, since: time.Now(), context: ctx}
}

// newID returns 22 random characters, 128 random bits.
func newID() string {
	var id [16]byte
	rand.Read(id[:]) // never fails
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// ID returns the stream's name in logs and in the live tree: 22 characters, unguessable.
func (s *Stream) ID() string { return s.id }

// Context returns the context that the stream was opened with, or what Options.OnOpen has made of it:
// for its values, such as a trace. It may have ended while the stream goes on, and go on when the
// stream has ended.
func (s *Stream) Context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.context
}

// logContext is Context for log lines that may be about no stream, a nil one.
func (s *Stream) logContext() context.Context {
	if s == nil {
		return context.Background()
	}
	return s.Context()
}

func (s *Stream) setContext(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.context = ctx
}

// Ended returns why the stream has ended, and nil while it goes on.
func (s *Stream) Ended() *Error {
	s.lock()
	defer s.mu.Unlock()
	return s.verdict
}

// Notify sets the function that is called when events come to wait where none did, and once more
// when the stream ends. It is called at once where either is the case already. f must not block,
// nor call the Stream's methods but Ended; it is called by any goroutine, sometimes by two at a
// time. A reader whose f panics counts as closed. A nil f is not called. Notify must not be called
// twice.
func (s *Stream) Notify(f func()) {
	s.mu.Lock()
	s.notify = f
	due := s.waiting != nil || s.verdict != nil
	s.mu.Unlock()
	if due && f != nil {
		f()
	}
}

// callNotify calls what Notify has set. A panic must not reach the actor that calls: one that fails
// while it stops would never end.
func (s *Stream) callNotify(notify func()) {
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

// Close ends the stream on behalf of its reader. It returns at once; the stream's actors stop, and
// its queue and channel are released, in the background. No event comes out of the stream any more,
// the last one included. Closing again does nothing.
func (s *Stream) Close() {
	s.mu.Lock()
	first, owner := !s.closed, s.owner
	s.closed = true
	if s.verdict == nil {
		s.verdict = errReaderGone
	}
	if s.waiting != nil { // it will not be read
		s.backlog.drop()
		s.recycle()
	}
	signal(s.wake) // Next may be waiting
	unbind := s.takeUnbind()
	s.mu.Unlock()
	unbind()
	if first && owner != nil {
		owner.readerClosed()
	}
}

// ownedBy sets the stream's owner. Where the reader has closed the stream before, or a feed or the
// reader has failed it, the owner hears of it at once.
func (s *Stream) ownedBy(owner streamOwner) {
	s.mu.Lock()
	s.owner = owner
	closed, verdict := s.closed, s.verdict
	s.mu.Unlock()
	switch {
	case closed:
		owner.readerClosed()
	case verdict != nil:
		owner.readerFailed(verdict)
	}
}

// Fail ends the stream with the reader's own verdict, such as SlowConsumer for a client that did
// not take its bytes in time, or a code of its own. The reader receives it as its last event unless
// the stream has ended for another reason before. A nil err, and one without a code, is told as
// InternalError. With AccessRevoked no message that waits is read any more.
func (s *Stream) Fail(err *Error) {
	err = orDefect(err)
	s.mu.Lock()
	owner := s.owner
	s.mu.Unlock()
	s.finish(err)
	if owner != nil {
		owner.readerFailed(err)
	}
}

// offer puts an event in, and reports whether it was taken: not when the stream has ended, nor when
// a message does not fit the stream's limit of bytes, for which full is true.
func (s *Stream) offer(event Event) (taken, full bool) {
	size := sizeOf(event)
	s.mu.Lock()
	if s.verdict != nil || s.closed {
		s.mu.Unlock()
		return false, false
	}
	if !s.backlog.fits(size) {
		s.mu.Unlock()
		return false, true
	}
	if m, ok := event.(*Message); ok {
		s.backlog.add(size)
		s.messages++
		s.total += int64(len(m.JSON))
	}
	notify := s.enqueue(event)
	s.mu.Unlock()
	s.callNotify(notify)
	return true, false
}

// endWith makes the stream end when ctx does. It comes after ownedBy.
func (s *Stream) endWith(ctx context.Context) {
	if ctx.Done() == nil {
		return
	}
	stop := context.AfterFunc(ctx, func() { s.Fail(endOf(ctx)) })
	s.mu.Lock()
	over := s.verdict != nil
	if !over {
		s.bound, s.unbind = ctx, stop
	}
	s.mu.Unlock()
	if over {
		stop()
	}
}

// lock takes mu for a reader. Where Connect's context has ended, the verdict is set before: no message
// is read once the context's cancel function has returned, which is before what waits for the
// context runs.
func (s *Stream) lock() {
	s.mu.Lock()
	if ctx := s.bound; ctx != nil && ctx.Err() != nil {
		s.mu.Unlock()
		s.Fail(endOf(ctx))
		s.mu.Lock()
	}
}

// takeUnbind returns what ends the wait for the end of Connect's context, to be called without mu. mu
// is held.
func (s *Stream) takeUnbind() func() bool {
	unbind := s.unbind
	if s.bound, s.unbind = nil, nil; unbind == nil {
		return func() bool { return false }
	}
	return unbind
}

// finish ends the stream; the first verdict stands. What was offered before stays in front of it,
// unless the access was revoked: then nothing of it is read.
func (s *Stream) finish(err *Error) {
	s.mu.Lock()
	if s.verdict != nil {
		s.mu.Unlock()
		return
	}
	s.verdict, s.early = err, nil
	if err.Code == AccessRevoked && s.waiting != nil {
		s.backlog.drop()
		clear(*s.waiting)
		*s.waiting = (*s.waiting)[:0]
	}
	s.enqueue(err)
	notify, unbind := s.notify, s.takeUnbind()
	s.mu.Unlock()
	unbind()
	s.callNotify(notify)
}

// halfFull reports whether more than half of the bytes that it may hold are.
func (s *Stream) halfFull() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.backlog.halfFull()
}

// load reports whether the stream holds bytes of messages, and whether that is more than half of
// what it may hold.
func (s *Stream) load() (some, halfFull bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.backlog.held() > 0, s.backlog.halfFull()
}

// idle reports whether nothing waits.
func (s *Stream) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.waiting == nil
}

// ready, wants, deliver and backpressure make a stream the sink of its own worker, in dedicated
// mode.
func (s *Stream) ready(a acknowledger) {
	s.acknowledgeTo(a)
	s.offer(Ready{})
}

// wants is true: the broker sends nothing else.
func (s *Stream) wants(*amqp.Delivery) bool { return true }

func (s *Stream) deliver(m *Message) { s.offer(m) }

// backpressure is never needed: the window of unacknowledged deliveries slows the broker down.
func (s *Stream) backpressure() bool { return false }

// acknowledgeTo sets who is told about written deliveries. It comes before the first.
func (s *Stream) acknowledgeTo(a acknowledger) {
	s.mu.Lock()
	s.acks = a
	s.mu.Unlock()
}

// enqueue appends an event. mu is held. Where the event is the first to wait it returns the
// function to call when mu is released, else nil.
func (s *Stream) enqueue(event Event) (notify func()) {
	first := s.waiting == nil
	if first {
		s.waiting = buffers.Get().(*[]Event)
	}
	*s.waiting = append(*s.waiting, event)
	if !s.begun {
		*s.waiting = append(*s.waiting, s.early...)
		s.begun, s.early = true, nil
	}
	if first {
		return s.notify
	}
	return nil
}

// recycle empties the waiting list. mu is held.
func (s *Stream) recycle() {
	list := s.waiting
	s.waiting = nil
	clear(*list)
	if cap(*list) > maxIdleList {
		return
	}
	*list = (*list)[:0]
	buffers.Put(list)
}

// State returns what an operator sees of the stream now; the state of its actor is not known here.
// It may be called concurrently, and after the end.
func (s *Stream) State() StreamState { return s.state(time.Now()) }

func (s *Stream) state(now time.Time) StreamState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := StreamState{
		ID: s.id, Address: s.address, Subject: s.subject.shown, Bindings: s.bindings, Fed: s.fed, Age: now.Sub(s.since),
		Messages: s.messages, Bytes: s.total, WaitingBytes: s.backlog.held(),
	}
	if s.waiting != nil {
		state.Waiting = len(*s.waiting)
	}
	return state
}

// sizeOf returns what an event takes of a stream's limit, in bytes.
func sizeOf(event Event) int {
	switch e := event.(type) {
	case *Message:
		return len(e.JSON) + e.apart
	case Custom:
		return len(e.Name) + len(e.Data)
	}
	return 0
}
