package actors_test

import (
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// A shared queue that is paused because its readers are behind goes on as soon as they have caught
// up, and not only after the full second that a pause may last.
func TestAReaderOfASharedQueueThatCatchesUpIsServedAtOnce(t *testing.T) {
	bubble(t, func(o *actors.Options) {
		o.ShareQueues, o.Limits.BacklogBytes = true, 1000 // some five messages
	}, func(f *fixture) {
		const count = 100
		s := f.ready(task, "#")
		f.publish("a", count)
		start := time.Now()
		f.messages(s, count)
		if took := time.Since(start); took > time.Second {
			f.t.Fatalf("the reader waited for %v in all", took)
		}
	})
}
