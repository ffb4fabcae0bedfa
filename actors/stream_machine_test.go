package actors

import (
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
)

// Whatever producer and reader do in whatever order, the stream behaves as this
// model of it: a list, a verdict, and what was acknowledged.
func TestAStreamBehavesAsItsModel(t *testing.T) {
	forRandom(t, func(t *testing.T, r *rand.Rand) {
		s, a := fedStream()
		var (
			waiting  []Event
			verdict  *Error
			closed   bool
			tag      uint64 // of the last message offered
			taken    uint64 // of the last message taken
			acked    []uint64
			notified int
			want     int
		)
		s.Notify(func() { notified++ })
		comesToWait := func(e Event) {
			if len(waiting) == 0 {
				want++
			}
			waiting = append(waiting, e)
		}
		finish := func(err *Error, do func()) {
			if do(); verdict == nil {
				verdict = err
				if len(waiting) > 0 {
					want++ // the end is told though something waits
				}
				comesToWait(err)
			}
		}
		offer := func(e Event) {
			ok, _ := s.offer(e)
			if ok != (verdict == nil) {
				t.Fatalf("taken %t after the verdict %v", ok, verdict)
			}
			if ok {
				comesToWait(e)
			}
		}
		steps(t, r, map[string]func(){
			"message": func() { tag++; offer(numbered(tag)) },
			"ping":    func() { offer(Ping{}) },
			"finish":  func() { e := &Error{Code: BrokerLost}; finish(e, func() { s.finish(e) }) },
			"fail":    func() { e := &Error{Code: SlowConsumer}; finish(e, func() { s.Fail(e) }) },
			"take": func() {
				if have := names(s.Take(nil)); have != names(waiting) {
					t.Fatalf("taken %q, want %q", have, names(waiting))
				}
				for _, e := range waiting {
					if m, ok := e.(*Message); ok {
						taken = m.tag
					}
				}
				waiting = nil
			},
			"done": func() {
				if s.Done(); taken > 0 {
					acked = append(acked, taken)
				}
			},
			"close": func() {
				if s.Close(); verdict == nil {
					verdict = errReaderGone
				}
				closed, waiting = true, nil
			},
		}, func() {
			if s.Ended() != verdict || s.idle() != (len(waiting) == 0) || notified != want {
				t.Fatalf("ended %v want %v, idle %t, notified %d want %d", s.Ended(), verdict, s.idle(), notified, want)
			}
			if have := a.list(); len(have) != len(acked) || (len(acked) > 0 && have[len(have)-1] != acked[len(acked)-1]) {
				t.Fatalf("acknowledged %v, want %v", have, acked)
			}
			if closed && !s.over() {
				t.Fatal("closed, but not over")
			}
		})
	})
}

// One producer, one writer, one actor that ends it, one reader that leaves: all
// at once, as they are in life. What is taken is in order, without a gap, and
// the error is the last.
func TestAStreamUnderConcurrency(t *testing.T) {
	for round := range 200 {
		s, a := fedStream()
		s.ownedBy(owner(func(string) {}))
		more := make(chan struct{}, 1) // one is enough: it says "look again"
		s.Notify(func() { signal(more) })
		var all sync.WaitGroup
		const count = 200
		all.Go(func() {
			for tag := uint64(1); tag <= count; tag++ {
				if taken, _ := s.offer(numbered(tag)); !taken {
					return
				}
			}
			s.finish(planned)
		})
		all.Go(func() {
			switch round % 4 {
			case 0:
				s.finish(&Error{Code: ServerShutdown})
			case 1:
				s.Fail(&Error{Code: SlowConsumer})
			case 2:
				runtime.Gosched()
				s.Close()
				signal(more) // who closes knows of it, and is not told
			}
		})
		all.Go(func() { s.idle(); s.Ended(); s.halfFull(); s.ID() })
		last, ended := uint64(0), false
		var events []Event
		for !ended {
			events = s.Take(events)
			for _, event := range events {
				switch e := event.(type) {
				case *Message:
					if e.tag != last+1 || ended {
						t.Fatalf("message %d after %d", e.tag, last)
					}
					last = e.tag
				case *Error:
					ended = true
				}
			}
			s.Done()
			if s.over() {
				break
			}
			if len(events) == 0 {
				<-more
			}
		}
		all.Wait()
		for i, tag := range a.list() {
			if tag > last || (i > 0 && tag < a.list()[i-1]) {
				t.Fatalf("acknowledged %v, but taken %d", a.list(), last)
			}
		}
	}
}
