package actors_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// A shared queue that is paused because its readers are behind goes on as soon as they have caught
// up, and not only after the full second that a pause may last.
func TestAReaderOfASharedQueueThatCatchesUpIsServedAtOnce(t *testing.T) {
	eachOf(feeding, t, someFiveMessages, func(f *fixture) {
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

func someFiveMessages(o *actors.Options) { o.Limits.BacklogBytes = 1000 }

// Streams that wait for something rare say nothing about how busy the machine is: beside a hundred of
// them, readers that get all the messages are still waited for.
func TestIdleRoutedStreamsDoNotHideThatTheOthersAreBehind(t *testing.T) {
	bubble(t, func(o *actors.Options) { routed(o); someFiveMessages(o) }, func(f *fixture) {
		const count = 100
		for i := range 100 {
			f.ready(task, fmt.Sprint("rare.", i))
		}
		a, b := f.ready(task, "#"), f.ready(task, "a")
		f.publish("a", count)
		for i := range count { // in turns, each as fast as the other
			for _, s := range []*actors.Stream{a, b} {
				if m := f.message(s); string(m.Body) != fmt.Sprintf(`{"n":%d}`, i) {
					f.t.Fatalf("message %d is %s", i, m.Body)
				}
			}
		}
	})
}
