package actors_test

import (
	"testing"

	"github.com/taskcluster/events-proxy/actors"
)

// An operator sees each stream with what it asked for and what it got, and
// after its end why it ended.
func TestTheSnapshotShowsStreamsLinksAndEnds(t *testing.T) {
	f := open(t, nil)
	s := f.ready("exchange/tc/task", "a.#")
	f.publish("a.b", 3)
	for range 3 {
		f.next(s)
	}
	now := f.Snapshot()
	if len(now.Streams) != 1 || len(now.Links) != 1 || now.Links[0].Channels != 1 {
		t.Fatalf("%+v", now)
	}
	got := now.Streams[0]
	if got.ID != s.ID() || got.Messages != 3 || got.Bytes == 0 || got.Waiting != 0 || got.Bindings[0].Pattern != "a.#" {
		t.Fatalf("%+v", got)
	}
	if err := f.EndStream(s.ID()); err != nil {
		t.Fatal(err)
	}
	if err := f.end(s); err.Code != actors.ServerShutdown {
		t.Fatal(err)
	}
	f.until("the end is noted", func() bool { return len(f.Snapshot().Ends) == 1 })
	if end := f.Snapshot().Ends[0]; end.ID != s.ID() || end.Code != actors.ServerShutdown || end.Messages != 3 {
		t.Fatalf("%+v", end)
	}
}

func TestEndingAStreamThatIsNotThereFails(t *testing.T) {
	if err := open(t, nil).EndStream("nobody"); err == nil {
		t.Fatal("no error")
	}
}
