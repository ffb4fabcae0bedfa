package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// Acknowledging is telling the broker to forget: a message that was not written
// must stay the broker's. In shared mode the proxy answers for the message.
func TestNothingIsAcknowledgedBeforeTheReaderIsDone(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Prefetch = 4 }, func(f *fixture) {
		s := f.connect(task, "#")
		synctest.Wait()
		f.publish("x", 10)
		pass(time.Second) // every flush would be over
		events := s.Take(nil)
		if have := len(events); have != 2+4 {
			f.t.Fatalf("%d events wait, want ping, ready and a window of 4", have)
		}
		pass(time.Second)
		if tags := f.record.acknowledged(1); len(tags) != 0 {
			f.t.Fatalf("tags %v were acknowledged, but nothing was written", tags)
		}
		s.Done()
		synctest.Wait()
		if tags := f.record.acknowledged(1); len(tags) != 1 || tags[0] != 4 {
			f.t.Fatalf("tags %v were acknowledged, want 4 alone: it stands for all before it", tags)
		}
	})
}

// Done speaks of what was taken, not of what came to wait since.
func TestDoneAcknowledgesWhatWasTakenAndNoMore(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Prefetch = 8 }, func(f *fixture) {
		s := f.connect(task, "#")
		synctest.Wait()
		f.publish("x", 3)
		synctest.Wait()
		s.Take(nil)
		f.publish("x", 3)
		synctest.Wait() // three more wait
		s.Done()
		pass(time.Second)
		if tags := f.record.acknowledged(1); len(tags) != 1 || tags[0] != 3 {
			f.t.Fatalf("tags %v were acknowledged, want 3", tags)
		}
	})
}

// A client that takes large messages one by one frees its place in the window one by one: waiting
// for all that was taken would take it for one that has stopped.
func TestWrittenAcknowledgesWhileTheRestIsStillBeingWritten(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Prefetch = 8 }, func(f *fixture) {
		s := f.connect(task, "#")
		synctest.Wait()
		f.publish("x", 8)
		synctest.Wait()
		events := s.Take(nil)
		s.Written(events[len(events)-3].(*actors.Message)) // the sixth of eight
		pass(time.Second)
		if tags := f.record.acknowledged(1); len(tags) != 1 || tags[0] != 6 {
			f.t.Fatalf("tags %v were acknowledged, want 6", tags)
		}
	})
}

// A call of Next acknowledges the event before.
func TestNextAcknowledgesTheEventBefore(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Prefetch = 1 }, func(f *fixture) {
		s := f.ready(task, "#")
		f.publish("x", 3)
		f.messages(s, 1)
		pass(time.Second)
		if tags := f.record.acknowledged(1); len(tags) != 0 {
			f.t.Fatalf("tags %v were acknowledged while the first message is being read", tags)
		}
		f.message(s)
		synctest.Wait()
		if tags := f.record.acknowledged(1); len(tags) != 1 || tags[0] != 1 {
			f.t.Fatalf("tags %v were acknowledged, want 1", tags)
		}
	})
}

// With each mode, prefetch and door the broker in the end has nothing left to
// remember: an unacknowledged message would hold its place in the window.
func TestEverythingIsAcknowledgedInTheEnd(t *testing.T) {
	for _, prefetch := range []int{1, 2, 3, 50} {
		eachMode(t, func(o *actors.Options) { o.Limits.Prefetch, o.Limits.FeedPrefetch = prefetch, prefetch }, func(f *fixture) {
			const count = 101
			s := f.ready(task, "#")
			f.publish("x", count)
			f.messages(s, count)
			f.publish("x", 1) // so that Next says of the last that it is done
			f.message(s)
			pass(time.Second)
			tags := f.record.acknowledged(1)
			if len(tags) == 0 || tags[len(tags)-1] < count {
				f.t.Fatalf("prefetch %d: tags %v were acknowledged, want up to %d", prefetch, tags, count)
			}
			for i := 1; i < len(tags); i++ {
				if tags[i] <= tags[i-1] {
					f.t.Fatalf("prefetch %d: tag %d was acknowledged after %d: the broker would end the channel", prefetch, tags[i], tags[i-1])
				}
			}
		})
	}
}

// An acknowledgement costs the broker as much as a delivery.
func TestAcknowledgementsAreFewerThanDeliveries(t *testing.T) {
	bubble(t, func(o *actors.Options) { o.Limits.Prefetch = 50 }, func(f *fixture) {
		const count = 1000
		s := f.ready(task, "#")
		f.publish("x", count)
		f.messages(s, count)
		pass(time.Second)
		if n := len(f.record.acknowledged(1)); n > count/10 {
			f.t.Fatalf("%d acknowledgements of %d messages, want about one of 25", n, count)
		}
	})
}

// Messages that were not written when their stream ends are returned to the broker.
func TestAReaderThatLeavesAcknowledgesNothingMore(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		s := f.connect(task, "#")
		synctest.Wait()
		f.publish("x", 5)
		synctest.Wait()
		s.Take(nil)
		s.Close()
		f.clean()
		if tags := f.record.acknowledged(1); len(tags) != 0 {
			f.t.Fatalf("tags %v were acknowledged", tags)
		}
	})
}
