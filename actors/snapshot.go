package actors

import (
	"cmp"
	"slices"
	"time"
)

// Actor is one actor of the live tree, as it was when the snapshot was taken.
type Actor struct {
	ID       string        `json:"id"`
	Parent   string        `json:"parent,omitempty"`
	Role     Role          `json:"role"`
	Stream   string        `json:"stream,omitempty"`
	State    string        `json:"state"`
	Age      time.Duration `json:"age"` // nanoseconds
	Mailbox  int64         `json:"mailbox"`
	Restarts int64         `json:"restarts"`
	Failure  string        `json:"failure,omitempty"` // the last one
	FailedAt time.Time     `json:"failedAt,omitzero"`
}

// Snapshot is the live tree and its counters.
type Snapshot struct {
	Time    time.Time     `json:"time"`
	Actors  []Actor       `json:"actors"`  // parents before children, oldest first
	Streams []StreamState `json:"streams"` // oldest first
	Links   []LinkState   `json:"links"`   // oldest first
	Ends    []StreamEnd   `json:"ends"`    // the last few, newest first
	Stats   Stats         `json:"stats"`
}

// Snapshot takes a picture of the tree without asking an actor: one that hangs
// cannot delay it. Actors that come or go meanwhile may be missing.
func (s *System) Snapshot() Snapshot {
	now := time.Now()
	return Snapshot{
		Time: now, Actors: s.tree.actors(now), Streams: s.tree.streams(now), Links: s.linkStates(),
		Ends: s.ends.list(), Stats: s.Stats(),
	}
}

func (t *tree) actors(now time.Time) []Actor {
	t.mu.Lock()
	nodes := make([]*node, 0, len(t.nodes))
	for _, n := range t.nodes {
		nodes = append(nodes, n)
	}
	slices.SortFunc(nodes, func(a, b *node) int {
		return cmp.Or(cmp.Compare(a.depth(), b.depth()), a.since.Compare(b.since), cmp.Compare(a.id, b.id))
	})
	out := make([]Actor, 0, len(nodes))
	for _, n := range nodes {
		out = append(out, n.picture(now))
	}
	t.mu.Unlock()
	return out
}

// picture is called under the tree's lock.
func (n *node) picture(now time.Time) Actor {
	a := Actor{
		ID: n.id, Role: n.role, Stream: n.label, State: *n.state.Load(), Age: now.Sub(n.since),
		Mailbox: max(0, n.posted.Load()-n.received.Load()), Restarts: max(0, n.lives.Load()-1),
		Failure: n.failure, FailedAt: n.failed,
	}
	if n.parent != nil {
		a.Parent = n.parent.id
	}
	return a
}

func (n *node) depth() int {
	if n.parent == nil {
		return 0
	}
	return 1 + n.parent.depth()
}

// labels gives the streams' ids of all actors of a role.
func (t *tree) labels(role Role) []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []string
	for _, n := range t.nodes {
		if n.role == role {
			out = append(out, n.label)
		}
	}
	return out
}

// Most gives the snapshot with at most n streams, those with the most bytes
// and events waiting first, and only their actors: a picture that stays small
// with ten thousand streams. The counters are of all.
func (s Snapshot) Most(n int) Snapshot {
	if len(s.Streams) <= n {
		return s
	}
	s.Streams = slices.SortedStableFunc(slices.Values(s.Streams), func(a, b StreamState) int {
		return cmp.Or(cmp.Compare(b.WaitingBytes, a.WaitingBytes), cmp.Compare(b.Waiting, a.Waiting))
	})[:n]
	shown := make(map[string]bool, n)
	for _, stream := range s.Streams {
		shown[stream.ID] = true
	}
	var actors []Actor
	for _, a := range s.Actors {
		if a.Stream == "" || shown[a.Stream] {
			actors = append(actors, a)
		}
	}
	s.Actors = actors
	return s
}
