package actors_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// A balancer may go on acknowledging what is sent to a client that has disconnected: such a stream
// ends at the greatest age, one that is read too, and its client may open another at once.
func TestAStreamEndsAtItsGreatestAge(t *testing.T) {
	eachMode(t, func(o *actors.Options) { o.Limits.StreamAge = time.Hour }, func(f *fixture) {
		streams := f.crowd(20)
		pass(54*time.Minute - time.Second)
		if n := f.Health().Streams; n != 20 {
			f.t.Fatalf("%d streams are open before their time", n)
		}
		pass(12*time.Minute + 2*time.Second)
		for _, s := range streams {
			if !f.ends(s, actors.StreamExpired).Code.Retryable() {
				f.t.Fatal("not retryable")
			}
		}
		f.clean()
		ends := map[time.Duration]bool{}
		for _, e := range f.Snapshot().Ends {
			ends[e.Age] = true
		}
		if len(ends) < 10 {
			f.t.Fatalf("streams that were opened together end at %d times", len(ends))
		}
		f.works()
	})
}

// By default no stream ends because of its age.
func TestAStreamWithoutAGreatestAgeStays(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		s := f.connect(task, "#")
		pass(30 * 24 * time.Hour)
		if err := s.Ended(); err != nil {
			f.t.Fatal(err)
		}
	})
}

// An operator sets the age while the process runs: it holds for new streams.
func TestTheGreatestAgeChangesForNewStreams(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		old := f.connect(task, "#")
		synctest.Wait()
		f.set(actors.Policy{Limits: actors.Limits{StreamAge: time.Minute}})
		young := f.connect(task, "#")
		f.ends(young, actors.StreamExpired)
		if err := old.Ended(); err != nil {
			f.t.Fatal(err)
		}
	})
}
