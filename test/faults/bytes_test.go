package faults

import (
	"fmt"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	httpapi "github.com/taskcluster/events-proxy/http"
)

// A32: large messages cost the proxy three of them for each slow client, however many wait at the
// broker; the operator sees how many bytes that is. Where streams share a queue the slow ones are
// cut: a client that takes nothing in mid-frame cannot be told so.
func TestA32LargeMessagesToSlowClientsAreThreeInMemory(t *testing.T) {
	const clients, count, size = 4, 12, 1 << 20
	limits := actors.Limits{SlowAfter: time.Hour, BacklogBytes: 512 << 10, Linger: time.Millisecond}
	for name, share := range map[string]bool{"a queue each": false, "a queue for all": true} {
		t.Run(name, func(t *testing.T) {
			r := onRabbitMQ(t, settings{limits: limits, http: httpapi.Options{WriteDeadline: time.Hour}, share: share})
			slow := r.crowd(clients, exchange, "#")
			for _, s := range slow {
				s.Stall()
			}
			before := heap()
			r.publish(1, count, size)
			r.eventually("every slow client's stream holds what it may, or was cut", func() error {
				return r.holding(clients, 3*(size+1<<10))
			})
			// Three messages each, a fourth that comes in, and what the process takes otherwise.
			if most := before + clients*4*size + 8<<20; heap() > most {
				t.Errorf("%d MiB are in use, %d before", heap()>>20, before>>20)
			}
			for _, s := range slow {
				s.Resume()
				if !share {
					r.awaits(s, messages(count))
				}
				s.Close()
			}
			r.clean()
		})
	}
}

// holding returns nil when n streams hold bytes, or have ended as slow, and none holds more than
// most.
func (r *rig) holding(n, most int) error {
	snapshot := r.proxy.System.Snapshot()
	holding := int(snapshot.Stats.Ended[actors.SlowConsumer])
	for _, s := range snapshot.Streams {
		if s.WaitingBytes > most {
			r.Errorf("a stream holds %d bytes, more than %d", s.WaitingBytes, most)
		}
		if s.WaitingBytes >= most*2/3 {
			holding++
		}
	}
	if holding != n {
		return fmt.Errorf("%d streams hold their bytes or were cut", holding)
	}
	return nil
}
