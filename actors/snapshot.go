package actors

import (
	"cmp"
	"slices"
	"time"

	"github.com/taskcluster/events-proxy/actors/amqp"
)

// Snapshot is the live tree and its counters, as they were at one time.
type Snapshot struct {
	Time    time.Time     `json:"time"`
	Actors  []Actor       `json:"actors"`  // parents before children, oldest first
	Streams []StreamState `json:"streams"` // oldest first
	Links   []LinkState   `json:"links"`   // oldest first
	Ends    []StreamEnd   `json:"ends"`    // the last hundred, newest first; [System.Ends] has more
	Stats   Stats         `json:"stats"`
}

// Actor is one actor of the live tree.
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

// StreamState is one open stream, as an operator sees it.
type StreamState struct {
	ID           string         `json:"id"`
	Address      string         `json:"address,omitempty"`
	Subject      string         `json:"subject,omitempty"` // as it is shown, see Options.SubjectKey
	Bindings     []amqp.Binding `json:"bindings"`
	Fed          bool           `json:"fed"`   // by a feed: it has no queue of its own
	State        string         `json:"state"` // of its connection actor
	Age          time.Duration  `json:"age"`   // nanoseconds
	Messages     int64          `json:"messages"`
	Bytes        int64          `json:"bytes"`        // of the messages' JSON
	Waiting      int            `json:"waiting"`      // events that the reader has not taken
	WaitingBytes int            `json:"waitingBytes"` // of messages that are not written: those that wait, and those that the reader has taken
}

// StreamEnd is a stream that has ended.
type StreamEnd struct {
	Number   int64         `json:"number"` // of the System's ends, in their order, from 1 on
	ID       string        `json:"id"`
	Address  string        `json:"address,omitempty"`
	Subject  string        `json:"subject,omitempty"` // as StreamState's
	Code     Code          `json:"code"`
	Reason   string        `json:"reason"`
	At       time.Time     `json:"at"`
	Age      time.Duration `json:"age"` // nanoseconds
	Messages int64         `json:"messages"`
	Bytes    int64         `json:"bytes"` // of the messages' JSON
}

// LinkState is one AMQP connection that is up.
type LinkState struct {
	Since    time.Time `json:"since"`
	Address  string    `json:"address,omitempty"` // host:port; empty where the link does not tell
	Capacity int       `json:"capacity"`          // the most channels that are leased
	Channels int       `json:"channels"`          // leased
	Opening  int       `json:"opening"`           // of them, not yet consuming
	Stuck    int       `json:"stuck"`             // of them, whose call is not answered any more
	Retired  bool      `json:"retired"`           // it serves its channels and gets no new one
	Blind    bool      `json:"blind"`             // its node does not hear the others of its cluster: it serves no channel
	Watched  bool      `json:"watched"`           // it hears the canaries that would show that
}

// Most returns the snapshot with at most n streams, those with the most bytes and events waiting
// first, and only their actors: a picture that stays small with ten thousand streams. The counters
// are of all.
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
