package faults

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/test/clients"
	"github.com/taskcluster/events-proxy/test/script"
)

// A10: clients that leave between the head and ready, a thousand times, leave
// nothing; a client that stays loses no message.
func TestA10ClientsThatLeaveBeforeReadyLeaveNothing(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	stays := r.ready(exchange, "#")
	const hasty, atOnce = 1000, 50
	var leaving sync.WaitGroup
	for i := range atOnce {
		leaving.Go(func() {
			for range hasty / atOnce {
				r.comeAndGo(i%2 == 0)
			}
		})
	}
	leaving.Wait()
	r.eventually("there are as many queues as streams", func() error { return r.queues(1) })
	r.publish(1, 5, 0)
	r.awaits(stays, messages(5))
	stays.Close()
	r.clean()
}

// comeAndGo opens a stream and leaves as soon as the head is there.
func (r *rig) comeAndGo(reset bool) {
	s, err := r.dial(script.Query(exchange, "#"), clients.Options{})
	switch {
	case err != nil:
		r.Error(err)
	case reset:
		s.Reset()
	default:
		s.Close()
	}
}

// A11: clients that leave in mid-burst take their queues along; what they left
// unread is not delivered again.
func TestA11ClientsThatLeaveInABurstTakeTheirQueuesAlong(t *testing.T) {
	r := onRabbitMQ(t, settings{})
	stays, leave := r.crowd(2, exchange, "#"), r.crowd(30, exchange, "#")
	var publishing sync.WaitGroup
	publishing.Go(func() {
		if err := r.tryPublish(1, 600, 200); err != nil {
			t.Error(err)
		}
	})
	for _, s := range leave {
		r.awaits(s, func(received clients.Received) error {
			if received.Messages == 0 {
				return messages(1)(received)
			}
			return nil
		})
		s.Close()
	}
	publishing.Wait()
	for _, s := range stays {
		r.awaits(s, messages(600))
	}
	r.eventually("there are as many queues as streams", func() error { return r.queues(len(stays)) })
	if again := r.proxy.System.Stats().Redelivered; again != 0 {
		t.Errorf("%d messages were delivered again", again)
	}
	for _, s := range stays {
		s.Close()
	}
	r.clean()
}

// A12: clients that stop reading under a firehose are cut, told where bytes
// still pass, and counted; what they hold of the proxy's memory is bounded, and
// the others receive everything.
func TestA12ClientsThatStopReadingAreCutAndCostNobodyElse(t *testing.T) {
	limits := actors.Limits{SlowAfter: 500 * time.Millisecond, Prefetch: 20, BacklogBytes: 512 << 10}
	for name, share := range map[string]bool{"a queue each": false, "a queue for all": true} {
		t.Run(name, func(t *testing.T) {
			r := onRabbitMQ(t, settings{limits: limits, http: httpapi.Options{WriteDeadline: 2 * time.Second}, share: share})
			healthy, stuck := r.crowd(8, exchange, "#"), r.crowd(4, exchange, "#")
			for _, s := range stuck {
				s.Stall()
			}
			before := heap()
			const count, size, atOnce = 300, 16 << 10, 10
			resume := sync.OnceFunc(func() {
				// What the healthy clients of this process have kept is theirs.
				kept := uint64(len(healthy) * count * (size + 1<<10))
				if most := before + kept + 64<<20; heap() > most {
					t.Errorf("%d MiB are in use, for %d MiB that clients hold", heap()>>20, kept>>20)
				}
				for _, s := range stuck {
					s.Resume()
					r.awaits(s, endsWith(actors.SlowConsumer))
				}
			})
			r.publishAsRead(healthy, count, atOnce, size, func() {
				if r.cut(len(stuck)) == nil {
					resume() // at once: what is told is kept for a while
				}
			})
			r.eventually("the stuck ones are cut", func() error { return r.cut(len(stuck)) })
			resume()
			for _, s := range healthy {
				r.awaits(s, messages(count))
			}
			for _, s := range healthy {
				s.Close()
			}
			r.clean()
		})
	}
}

// cut reports whether n streams, and no other, have ended as slow.
func (r *rig) cut(n int) error {
	ended := r.proxy.System.Stats().Ended
	if ended[actors.SlowConsumer] != int64(n) {
		return fmt.Errorf("the streams have ended so: %v", ended)
	}
	return nil
}

// A20: of a thousand connects from one address, as many as allowed are served;
// the rest is refused before the head, and no queue is made for them.
func TestA20ConnectsOverTheLimitAreRefusedWithoutTheBroker(t *testing.T) {
	const most, all, atOnce = 20, 1000, 50
	r := onRabbitMQ(t, settings{limits: actors.Limits{StreamsPerAddress: most}})
	for _, s := range r.crowd(most, exchange, "#") { // so that no scout tries further channels meanwhile
		s.Close()
	}
	r.eventually("they are gone", func() error { return r.queues(0) })
	before := r.opened()
	var mu sync.Mutex
	statuses := map[int]int{}
	var connecting sync.WaitGroup
	for range atOnce {
		connecting.Go(func() {
			for range all / atOnce {
				s, err := r.dial(script.Query(exchange, "#"), clients.Options{})
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				statuses[s.Status]++
				mu.Unlock()
			}
		})
	}
	connecting.Wait()
	if statuses[200] != most || statuses[429] != all-most {
		t.Errorf("the answers were %v", statuses)
	}
	r.eventually("every admitted stream has its queue", func() error { return r.queues(most) })
	if after := r.opened(); after-before > 2*most {
		t.Errorf("%d channels were opened for %d streams", after-before, most)
	}
	// Another address has its own places.
	other := r.ask(script.Query(exchange, "#"), clients.Options{From: "127.0.0.2"})
	r.awaits(other, isReady)
}

// heap is what the program uses after a collection.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
