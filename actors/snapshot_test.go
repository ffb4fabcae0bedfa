package actors_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/taskcluster/events-proxy/actors"
)

// shape is the tree as roles with their states, indented by depth.
func (f *fixture) shape() (lines []string) {
	depth := map[string]int{}
	for _, a := range f.Snapshot().Actors {
		if a.Parent != "" {
			depth[a.ID] = depth[a.Parent] + 1
		}
		lines = append(lines, fmt.Sprintf("%d %s %s", depth[a.ID], a.Role, a.State))
	}
	slices.Sort(lines)
	return lines
}

func TestTheSnapshotIsTheSupervisionTree(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		s := f.ready(task, "#")
		synctest.Wait()
		want := []string{"0 events running", "1 broker up", "1 connections running", "2 connection ready", "3 consumer consuming"}
		if have := f.shape(); !slices.Equal(have, want) {
			f.t.Fatalf("have %q, want %q", have, want)
		}
		for _, a := range f.Snapshot().Actors {
			if owned := a.Role == actors.RoleConnection || a.Role == actors.RoleConsumer; (a.Stream == s.ID()) != owned {
				f.t.Fatalf("%s belongs to stream %q", a.Role, a.Stream)
			}
			if a.Mailbox != 0 || a.Restarts != 0 || a.Failure != "" {
				f.t.Fatalf("at rest the tree shows %+v", a)
			}
		}
		s.Close()
		synctest.Wait()
		if have := f.shape(); !slices.Equal(have, want[:3]) {
			f.t.Fatalf("after the stream's end have %q, want %q", have, want[:3])
		}
	})
}

func TestTheSnapshotOfSharedQueuesHasTheirFeeds(t *testing.T) {
	bubble(t, shared, func(f *fixture) {
		f.ready(task, "#")
		f.ready(task, "#")
		synctest.Wait()
		want := []string{
			"0 events running", "1 broker up", "1 connections running", "1 feeds running",
			"2 connection ready", "2 connection ready", "2 feed ready", "3 consumer consuming",
		}
		if have := f.shape(); !slices.Equal(have, want) {
			f.t.Fatalf("have %q, want %q", have, want)
		}
	})
}

// Parents stand before their children, so that a reader draws the tree in one
// pass.
func TestTheSnapshotListsParentsFirst(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		f.crowd(10)
		seen := map[string]bool{"": true}
		for _, a := range f.Snapshot().Actors {
			if !seen[a.Parent] {
				f.t.Fatalf("%s stands before its parent %s", a.ID, a.Parent)
			}
			seen[a.ID] = true
		}
	})
}

func TestTheSnapshotShowsStreamsLinksAndEnds(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		r := request(task, "#")
		r.Address = "1.2.3.4"
		s, err := f.Connect(f.t.Context(), r)
		if err != nil {
			f.t.Fatal(err)
		}
		f.awaitReady(s)
		pass(time.Second)
		f.publish("a", 3)
		synctest.Wait()
		snapshot := f.Snapshot()
		if len(snapshot.Streams) != 1 || len(snapshot.Links) != 1 || len(snapshot.Ends) != 0 {
			f.t.Fatalf("have %+v", snapshot)
		}
		state := snapshot.Streams[0]
		if state.ID != s.ID() || state.Address != "1.2.3.4" || !slices.Equal(state.Bindings, r.Bindings) || state.Age != time.Second || state.State != "ready" ||
			state.Messages != 3 || state.Waiting != 3 || state.Bytes == 0 || state.WaitingBytes != int(state.Bytes) {
			f.t.Fatalf("the stream is shown as %+v", state)
		}
		if link := snapshot.Links[0]; link.Channels != 1 || link.Opening != 0 {
			f.t.Fatalf("the link is shown as %+v", link)
		}
		s.Close()
		synctest.Wait()
		ends := f.Snapshot().Ends
		if len(ends) != 1 || ends[0].ID != s.ID() || ends[0].Code != actors.ClientGone || ends[0].Messages != 3 {
			f.t.Fatalf("the end is shown as %+v", ends)
		}
		if _, err := json.Marshal(f.Snapshot()); err != nil {
			f.t.Fatal(err)
		}
	})
}

// An operator looks back on the last ends, not on all there ever were.
func TestTheSnapshotKeepsTheLastEnds(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		var last string
		for range 250 {
			s := f.connect(task, "#")
			last = s.ID()
			s.Close()
			synctest.Wait()
		}
		ends := f.Snapshot().Ends
		if len(ends) != 100 || ends[0].ID != last || ends[0].Number != 250 {
			f.t.Fatalf("%d ends are shown, the first %+v", len(ends), ends[0])
		}
	})
}

// A program that looks often enough misses no end, and one that does not sees how many it has missed.
func TestEndsAreReadWithoutAGapOrTheGapIsSeen(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		var ids []string
		closed := func(n int) {
			for range n {
				s := f.connect(task, "#")
				ids = append(ids, s.ID())
				s.Close()
				synctest.Wait()
			}
		}
		last := int64(0)
		for _, n := range []int{0, 1, 150, 999} {
			closed(n)
			for _, end := range f.Ends(last) {
				if end.Number != last+1 || end.ID != ids[last] {
					f.t.Fatalf("%+v follows the end %d", end, last)
				}
				last = end.Number
			}
			if last != int64(len(ids)) {
				f.t.Fatalf("%d ends are read, of %d", last, len(ids))
			}
		}
		closed(1000)
		if ends := f.Ends(last); len(ends) != 1000 || ends[0].Number != last+1 {
			f.t.Fatalf("after a thousand more: %d", len(ends))
		}
		if ends := f.Ends(0); len(ends) < 1000 || ends[0].Number == 1 || ends[len(ends)-1].Number != int64(len(ids)) {
			f.t.Fatalf("of %d ends %d are kept, from %d on", len(ids), len(ends), ends[0].Number)
		}
		if all, ends := f.Ends(0), f.Ends(1_000_000); len(ends) != len(all) {
			f.t.Fatalf("after the number of another process: %d", len(ends))
		}
	})
}

// With ten thousand streams a picture of all is too large: those in trouble
// come first.
func TestTheMostOfASnapshotAreTheStreamsWithMostWaiting(t *testing.T) {
	bubble(t, nil, func(f *fixture) {
		for range 20 {
			f.connect(task, "quiet")
		}
		behind := f.connect(task, "behind")
		f.connect(task, "quiet")
		synctest.Wait()
		f.publish("behind", 5)
		synctest.Wait()
		snapshot := f.Snapshot()
		few := snapshot.Most(1)
		if len(few.Streams) != 1 || few.Streams[0].ID != behind.ID() || len(snapshot.Streams) != 22 {
			f.t.Fatalf("%d of %d streams: %+v", len(few.Streams), len(snapshot.Streams), few.Streams)
		}
		for _, a := range few.Actors {
			if a.Stream != "" && a.Stream != few.Streams[0].ID {
				f.t.Fatalf("an actor of another stream: %+v", a)
			}
		}
		if all := snapshot.Most(100); len(all.Streams) != 22 || few.Stats.Opened != snapshot.Stats.Opened {
			f.t.Fatalf("%d streams", len(all.Streams))
		}
	})
}

// Its reader may open another at once.
func TestAStreamMayBeEndedByHand(t *testing.T) {
	eachMode(t, nil, func(f *fixture) {
		s, other := f.ready(task, "#"), f.ready(task, "#")
		if n, err := f.End(actors.ByID(s.ID()), nil); n != 1 || err != nil {
			f.t.Fatal(n, err)
		}
		if err := f.ends(s, actors.ServerShutdown); !err.Code.Retryable() {
			f.t.Fatal("not retryable")
		}
		synctest.Wait()
		for _, id := range []string{s.ID(), "none", ""} {
			if n, err := f.End(actors.ByID(id), nil); n != 0 || err != nil {
				f.t.Fatal("a stream that is not there was ended", n, err)
			}
		}
		f.publish("a", 1)
		f.messages(other, 1)
	})
}
