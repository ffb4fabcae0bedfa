package rabbit

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A broker that deletes one queue after the other is given the time that it needs; a queue that stays
// is named after a while, however many have gone before.
func TestWhatBecomesLessIsWaitedFor(t *testing.T) {
	for stays, want := range []time.Duration{30 * 10 * time.Second, 29*10*time.Second + CleanWithin} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			err := vanish(t.Context(), func(context.Context) (s Snapshot, err error) {
				gone := int(time.Since(begun) / (10 * time.Second))
				for range max(30-gone, stays) {
					s.Queues = append(s.Queues, "queue/slow")
				}
				return s, nil
			}, func(s Snapshot) int { return len(s.Queues) })
			if took := time.Since(begun); (err != nil) != (stays > 0) || took < want || took > want+time.Second {
				t.Errorf("%d stay: %v after %s, not %s", stays, err, took, want)
			}
			if stays > 0 && !strings.Contains(err.Error(), "queue/slow") {
				t.Errorf("it is not named: %v", err)
			}
		})
	}
}
